# Where the visitors' sessions are kept.

ask-session-database = Keep sessions in the database
ask-session-database-back = “sessions on the web server”, in the same place; the sessions in the files of the web servers are found again if they have not expired.
ask-session-database-fact = Sessions are rows of the database that takes writes; any web server answers.
ask-session-database-lead = Everybody who is signed in now has to sign in once more: sessions are not carried over.
ask-session-database-more = From the next request on, without a reload. A web server may then fall without anybody losing their session, and visitors are spread evenly. Each page that uses a session asks the database, and waits or answers 503 while no database takes writes.
ask-session-proxy = Keep sessions on the web servers
ask-session-proxy-back = “sessions in the database”, in the same place; the rows are found again if they have not expired.
ask-session-proxy-fact = Sessions are files of each web server; HAProxy’s cookie leads each visitor back to theirs.
ask-session-proxy-lead = Everybody who is signed in now has to sign in once more: sessions are not carried over.
ask-session-proxy-more = From the next request on, without a reload. When a web server falls, its visitors go to another one and have to sign in again. The database may be away without a page noticing.
cli-help-session = Choose where the visitors’ sessions are kept
cli-help-session-mode = proxy: in files of each web server, found again by HAProxy’s cookie; database: in a table, any web server answers
event-session-database = Sessions are kept in the database
event-session-proxy = Sessions are kept on each web server (HAProxy cookie)
problem-session-pool = Only the web servers have sessions: the pool is “web”.
problem-session-unknown = Sessions are kept by “proxy” or “database”.
session-database = sessions in the database
session-label = Where sessions are kept
session-proxy = sessions on the web server (HAProxy cookie)
reason-session-silent = does not say where it keeps sessions: visitors may be signed out at each request
reason-session-files = keeps sessions in files, and not in the database: visitors are signed out when another server answers
reason-session-database = keeps sessions in the database, and not in files
test-session = Session mode
test-session-used = It keeps sessions where it is told to.
test-session-silent = It does not say where it keeps sessions; PHP’s own files are as wished now.
