# The list under the verdict: causes, and what puts them right.

cause-blind = Cannot look
cause-lost = Its state is not whole
cause-by = by { $who } at
cause-door-waits = No answer at its addresses yet
cause-explains = Also affects { $names }.
cause-no-web = None
cause-room = Little room
cause-unwritable = Cannot write its state
cli-causes = Needs attention
name-alone = { $name }
names-and-more = { $names } and { $count } more
cause-unkept = Cordée has lost its keeper
reason-unkept = Nobody would start it again if it ended.
remedy-anyway = Take { $name } out all the same
remedy-config = Look at the file of { $proxy }
remedy-doctor = “cordee doctor” says what is missing; Cordée goes on by itself as soon as it is there.
remedy-lost = Put it back before Cordée is started again: from where it was moved to, or every file of the state from the same copy of the folder. “cordee doctor” says what is missing.
remedy-external = Cordée does not run { $name }: start it, or mend it, where it runs.
remedy-itself = Cordée is dealing with it: nothing to do.
remedy-logs = Logs of { $name }
remedy-more = { $count ->
    [one] { $count } more in the table
   *[other] { $count } more in the table
}
remedy-page = Examine { $name }
remedy-port = Another program holds port { $port }: end it, and Cordée starts { $name }.
remedy-promote = Promote { $name }
remedy-ready = Put { $name } back in service
remedy-recopy = Copy { $name } again
remedy-reload = Reload { $proxy }
remedy-remove = Remove { $name }
remedy-restart = Restart { $name }
remedy-room = Make room in { $folder }: Cordée goes on by itself.
remedy-socket = End process { $pid } (kill { $pid }): Cordée starts it anew at once.
remedy-start = Start { $name }
remedy-test = Test { $name }
remedy-thaw = Suspended by a signal or a debugger. To resume it: kill -CONT { $pids }
remedy-unkept = “cordee up --detach” gives it a new one; the site goes on meanwhile.
remedy-withdraw = Keep { $name } in service
who-cli = the command line
who-cordee = Cordée
who-token = token { $name }
