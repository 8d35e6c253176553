# A database that exists already
cli-help-add-plan = Only ask that database and say what would happen; nothing is written
cli-help-add-user = For a database that exists already: the account by which Cordée runs it
cli-help-password-file = Its password: a file that only you may read (mode 0600), or - for standard input
cli-password-file = The password could not be read: give --password-file a file that only you may read (mode 0600), or - for standard input.
event-let-go = { $name } does not answer and was let go: what it alone wrote is not here, and the cluster’s links and accounts (cordee_repl, site_app, site_owner) are still on it
event-release = The others have all that { $name } wrote; the cluster’s links and accounts are being taken off it
event-released = { $name } is yours again, closed (read_only=1), without links or accounts of the cluster; it still holds a copy of the cluster’s tables, perhaps a partial one
event-released-untouched = { $name } is yours again; nothing was ever copied into it
freight-apart = { $count ->
    [one] { $names } is of another engine than InnoDB: its rows are read at another moment than the rest. Write nothing to it while it is copied
   *[other] { $count } tables are of another engine than InnoDB: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. Their rows are read at another moment than the rest: write nothing to them while they are copied
}
freight-events = { $count ->
    [one] The scheduled event { $names } is copied, and does not run there
   *[other] { $count } scheduled events are copied, and do not run there: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }
}
freight-packet = Its max_allowed_packet is { $own }; Cordée sets { $wanted } there, as on all databases here, until its next restart. To keep it, put max_allowed_packet={ $wanted } into its file.
freight-views = { $count ->
    [one] The view { $names } is broken (something that it names is gone): it is copied as it is, and cannot be read there either
   *[other] { $count } views are broken (something that they name is gone): { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. They are copied as they are, and cannot be read there either
}
guest-address-help = On this machine: 127.0.0.1.
guest-examine = Look at it first
guest-kept = The password was typed once: it is kept encrypted on this machine, and forgotten with the database.
guest-lead = An empty MariaDB that you run yourself. Cordée first asks it what would keep it from joining; nothing is written before you agree. Afterwards Cordée can neither start, stop nor restart it.
guest-password = Password
guest-password-help = Typed once; kept encrypted, shown nowhere.
guest-port-help = Empty: 3306.
guest-title = Add a database that exists already
guest-user = Account
guest-user-help = With all rights and GRANT OPTION, from 127.0.0.1.
import-logged = The new database wrote the copy into its own log, which the others would take for new rows: the copy was given up
join-existing = It exists already: add a MariaDB that runs on this machine
join-step-import = The tables of { $name } are copied into it, while { $name } serves; nothing of it is logged there. The site stays up.
problem-db-elsewhere = It is on another machine: the databases of this cluster listen on 127.0.0.1 only, and it could not copy them. Give an address of this machine, such as 127.0.0.1.
problem-freight-events = There are scheduled events, and Cordée’s account on { $donor } may not read them yet: restart { $donor } once.
problem-freight-float = { $count ->
    [one] { $names } has FLOAT values, or an ENUM with '' as a member, which a copy through statements alters and Cordée cannot write again exactly (no primary key, such a column in a key, a trigger on UPDATE, a history, or another engine than InnoDB). Make FLOAT DOUBLE, or have Cordée make the database itself: its copy is of the files.
   *[other] { $count } tables have FLOAT values, or an ENUM with '' as a member, which a copy through statements alters and Cordée cannot write again exactly (no primary key, such a column in a key, a trigger on UPDATE, a history, or another engine than InnoDB): { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. Make FLOAT DOUBLE, or have Cordée make the database itself: its copy is of the files.
}
problem-freight-history = { $count ->
    [one] The history of { $names } goes by transactions, and no statement carries it. Have Cordée make the database itself: its copy is of the files.
   *[other] The history of { $count } tables goes by transactions, and no statement carries it: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. Have Cordée make the database itself: its copy is of the files.
}
problem-freight-unreadable = { $count ->
    [one] { $names } cannot be opened where it would be copied from. Repair it or drop it first.
   *[other] { $count } tables cannot be opened where they would be copied from: { $names }{ $more ->
        [0] {""}
       *[other] {" "}and { $more } more
    }. Repair or drop them first.
}
problem-invited-late = Too much time has passed since that database was looked at: look at it again.
problem-login-nobody = An account and a password are for a database that exists already, without “start a new one”.
problem-login-own = { $user } is an account of the cluster’s own, which Cordée makes anew on each database. Use another one.
problem-login-password = Type the account’s password: 1 to { $most } octets, no line breaks. An account without one is not taken.
problem-login-user = Type the account by which Cordée runs the database: 1 to { $most } characters.
problem-newcomer-data = { $count ->
    [one] It holds a table already ({ $names }): only an empty database can join, and nothing of yours is overwritten. Move it elsewhere first.
   *[other] It holds tables already ({ $names }…): only an empty database can join, and nothing of yours is overwritten. Move them elsewhere first.
}
problem-newcomer-history = It has a history of its own ({ $position }), which the others would fetch. If nothing of it is needed, run there: RESET MASTER; SET GLOBAL gtid_slave_pos='';
problem-newcomer-links = It copies another database already (link { $names }). End that first: STOP ALL SLAVES; RESET SLAVE … ALL;
problem-newcomer-names = It treats the case of table names otherwise (lower_case_table_names={ $own }). Make it anew with lower_case_table_names={ $wanted }.
problem-newcomer-older = It is older ({ $version }) than the database that it would copy ({ $donor }), and may not understand what that one writes. Use the same version or a newer one.
problem-newcomer-overtaken = Another database was added meanwhile, so its id would be another one: look at it again.
problem-newcomer-password = The account or its password was refused (error { $code }). MariaDB says the same when it accepts only encrypted connections (require_secure_transport, REQUIRE SSL), which Cordée does not make.
problem-newcomer-program = The programs mariadb-dump and mariadb are missing on this machine. Install the package mariadb-client.
problem-newcomer-rights = The account lacks { $rights }. Run there: GRANT ALL PRIVILEGES ON *.* TO … WITH GRANT OPTION;
problem-newcomer-settings = { $count ->
    [one] This line must stand under [mariadbd] in its file; then restart it: { $lines }
   *[other] These { $count } lines must stand under [mariadbd] in its file, each on a line of its own; then restart it: { $lines }
}
reason-diverged-external = it holds transactions that no other database has, or lacks some of its own; what it holds stays on it. Save them, then remove it, empty it and add it again
set-do-file = Set it in the file of { $name } and restart it: Cordée does not run it.
status-astray = Another id
wait-astray = { $name } has come back as server_id { $id } instead of { $wanted }: put server_id={ $wanted } and gtid_domain_id={ $wanted } into its file again and restart it. Until then nothing is done with it.
