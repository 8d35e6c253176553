# Où sont gardées les sessions des visiteurs.

ask-session-database = Garder les sessions dans la base
ask-session-database-back = « sessions sur le serveur web », au même endroit ; celles des fichiers des serveurs web sont retrouvées si elles n’ont pas expiré.
ask-session-database-fact = Les sessions sont des lignes de la base qui reçoit les écritures ; n’importe quel serveur web répond.
ask-session-database-lead = Tous ceux qui sont connectés en ce moment devront se reconnecter une fois : les sessions ne sont pas reprises.
ask-session-database-more = Dès la prochaine requête, sans rechargement. Un serveur web peut alors tomber sans que personne perde sa session, et les visiteurs sont répartis également. Chaque page qui emploie une session interroge la base, et attend ou répond 503 tant qu’aucune base ne reçoit d’écritures.
ask-session-proxy = Garder les sessions sur les serveurs web
ask-session-proxy-back = « sessions dans la base », au même endroit ; les lignes sont retrouvées si elles n’ont pas expiré.
ask-session-proxy-fact = Les sessions sont des fichiers de chaque serveur web ; le cookie de HAProxy y ramène chaque visiteur.
ask-session-proxy-lead = Tous ceux qui sont connectés en ce moment devront se reconnecter une fois : les sessions ne sont pas reprises.
ask-session-proxy-more = Dès la prochaine requête, sans rechargement. Quand un serveur web tombe, ses visiteurs passent sur un autre et doivent se reconnecter. La base peut être absente sans qu’une page le remarque.
cli-help-session = Choisir où sont gardées les sessions des visiteurs
cli-help-session-mode = proxy : dans les fichiers de chaque serveur web, retrouvées par le cookie de HAProxy ; database : dans une table, n’importe quel serveur web répond
event-session-database = Les sessions sont gardées dans la base
event-session-proxy = Les sessions sont sur chaque serveur web (cookie HAProxy)
problem-session-pool = Seuls les serveurs web ont des sessions : le groupe est « web ».
problem-session-unknown = Les sessions sont gardées par « proxy » ou « database ».
session-database = sessions dans la base
session-label = Où sont gardées les sessions
session-proxy = sessions sur le serveur web (cookie HAProxy)
reason-session-silent = ne dit pas où il garde les sessions : les visiteurs peuvent être déconnectés à chaque requête
reason-session-files = garde les sessions dans des fichiers, et non dans la base : les visiteurs sont déconnectés quand un autre serveur répond
reason-session-database = garde les sessions dans la base, et non dans des fichiers
test-session = Mode des sessions
test-session-used = Il garde les sessions là où on le lui demande.
test-session-silent = Il ne dit pas où il garde les sessions ; les fichiers de PHP conviennent en ce moment.
