# Ce que disent le moteur, le test de connexion, « nettoyer la configuration » et ./up.

clean-draft = Brouillon d’un fichier de configuration, laissé par une action interrompue.
clean-log = Moitié ancienne d’un journal.
clean-socket = Socket d’un serveur qui n’est plus là.
clean-trash = Dossier d’un serveur retiré, ou fichier modifié à la main et remplacé.
link-unapplied = ce qui est venu de { $peer } n’est pas encore appliqué
db-broken = La base a répondu autre chose que son protocole.
db-error = La base a refusé avec l’erreur { $code }.
db-install-failed = Le dossier de données n’a pas pu être créé ; log/install.log de ce serveur dit pourquoi.
db-no-answer = La base ne répond pas.
db-too-many = La base n’a plus de connexion libre (erreur 1040).
db-unreachable = La base est injoignable.
event-addresses = Nouvelles adresses : page { $page }, site { $site }
event-closed = { $name } fermée aux écritures : ce n’est pas elle qui écrit
event-opened = { $name } reçoit les écritures (époque { $epoch })
event-process-ended = { $name } hors ligne : { $why }
event-process-restarted = { $name } redémarré par Cordée (pid { $pid })
event-process-started = { $name } démarré par Cordée (pid { $pid })
event-reloaded = { $proxy } rechargé : le nouveau processus suit le nouveau fichier
event-step-failed = { $name } : un acte a échoué et sera retenté : { $why }
haproxy-missing = HAProxy n’a pas pu être démarré.
haproxy-no-answer = HAProxy ne répond pas.
haproxy-no-socket = Le socket de HAProxy ne répond pas.
haproxy-refused = HAProxy a refusé : { $said }
haproxy-refused-file = HAProxy a refusé le fichier : { $said }
haproxy-reload-failed = HAProxy n’a pas pu démarrer un nouveau processus ; l’ancien continue avec l’ancien fichier.
haproxy-reload-unproven = HAProxy n’a pas montré le nouveau fichier en 8 s.
haproxy-strange = HAProxy a donné une réponse que Cordée ne connaît pas.
haproxy-strange-why = HAProxy a donné une réponse que Cordée ne connaît pas ({ $why }).
io-denied = Accès refusé à un fichier de Cordée.
io-foreign = Laissé tel quel : à la place d’un fichier ou d’un dossier du cluster se trouve un lien, un fichier qui porte un second nom, ou autre chose.
io-full = Le disque est plein.
io-missing = Un fichier ou un programme manque.
io-other = Un fichier n’a pas pu être lu ou écrit ({ $kind }).
problem-listeners-equal = La page, le site et les deux adresses des bases doivent être toutes différentes.
reason-port-taken = le port { $port } est pris par { $holder }
reason-process-exit = processus terminé avec le code { $code }
reason-process-signal = processus tué par le signal { $signal }
step-deadline = Cela a pris plus d’une minute.
test-http = Page web
test-http-status = Réponse { $status }.
test-name = Nom
test-name-address = C’est une adresse : rien à chercher.
test-name-found = Le nom mène à { $ip }.
test-read = Lecture
test-read-done = { $count ->
    [one] { $count } note lue.
   *[other] { $count } notes lues.
}
test-sign-in = Identification
test-sign-in-done = Identifié comme { $user }.
test-tcp = Connexion
test-tcp-open = Le port { $port } est ouvert.
up-code = Code d’installation (page)
up-db = Bases de données
up-descriptors = Seuls { $limit } fichiers peuvent être ouverts à la fois ; il en faut { $needed } pour un cluster. Relevez la limite dure (ulimit -Hn) et recommencez. Rien n’a été démarré.
up-missing = { $path } manque : installez le paquet { $package }, ou lancez ./up, qui le fait.
up-page = Page
up-port = { $address } est pris par { $holder }. Arrêtez-le, ou choisissez une autre adresse avec { $variable }. Rien n’a été démarré.
up-site = Site
up-stay = Ctrl-C arrête le cluster. Pour le laisser tourner : ./up --detach
up-stay-before = Le cluster tournait déjà : Ctrl-C n’arrête que cette commande. Pour arrêter le cluster : ./up --down
up-left = Le cluster continue de tourner. Pour l’arrêter : ./up --down
up-ended = Le cluster a été arrêté entre-temps : il n’y a rien à attendre.
up-unhealthy = Le cluster n’est pas en bon état après 90 s. « cordee status » dit ce qui manque ; le journal est { $log }
up-user = L’utilisateur système { $user } manque ; lancez ./up, qui le crée.
up-writer = Bases, celle qui écrit
down-done = Arrêté.
down-left = { $count ->
    [one] { $count } processus n’a pas pu être arrêté.
   *[other] { $count } processus n’ont pas pu être arrêtés.
}
down-nothing = Rien ne tourne ici : il n’y a pas de cluster dans { $folder }.
reset-kept = Rien n’a été changé.
reset-question = Ceci arrête le cluster et supprime tout ce qui est dans { $home }, bases comprises. Tapez oui pour continuer :
reset-unasked = Rien n’a été changé : cela supprimerait tout ce qui est dans { $home }, et il n’y a pas de terminal où poser la question. Ajoutez --yes.
up-ignored = Le cluster tourne déjà : de nouvelles adresses prendront effet après ./up --down.
up-open = { $address } n’est pas une adresse de bouclage : la page parle HTTP en clair, gardez ce réseau fermé aux inconnus.
up-open-db = { $address } n’est pas une adresse de bouclage : quiconque l’atteint peut essayer des mots de passe, et rien n’est chiffré. Gardez ce réseau fermé aux inconnus.
up-newer = Une Cordée plus récente a été construite : la page redémarre, le cluster continue.
verify-behind = { $name } n’a pas rattrapé son retard en { $seconds } s : ses lignes n’ont pas pu être comparées.
verify-cancelled = La vérification a été annulée.
verify-node = { $name } : { $why }
verify-packet = Sur { $name }, max_allowed_packet est inférieur à { $octets } octets : les longues lignes ne pourraient pas être comparées.
verify-rights = Sur { $name }, le compte de Cordée ne peut pas lire toutes les tables : donnez-lui SELECT ON *.*
verify-slow = La lecture d’une seule ligne prend plus de 3 s.
verify-unsettled = Des lignes changent trop vite, sont verrouillées, ou attendent des écritures d’une autre base qui ne sont pas arrivées.
verify-ahead = { $count ->
    [one] { $name } détient une transaction du domaine { $domain } que { $writer } n’a pas reçue : une différence peut venir d’elle.
   *[other] { $name } détient { $count } transactions du domaine { $domain } que { $writer } n’a pas reçues : une différence peut venir de l’une d’elles.
}
verify-lags = { $name } n’a pas rattrapé son retard à temps pendant que des lignes étaient tenues immobiles.

# Le dossier d’état
db-logs-elsewhere = { $list } désigne { $log }, hors du dossier de cette base : elle effacerait les journaux d’un autre cluster. Remettez tout le dossier du cluster là où il a été créé
folder-closed = L’utilisateur { $uid } d’un programme ne peut pas entrer dans { $path } : ouvrez-le aux autres (chmod o+x), ou indiquez un autre dossier dans CORDEE_HOME. Rien n’a été démarré.
folder-elsewhere = { $folder } a été créé sous { $made }, et les fichiers de ses bases désignent cet endroit : démarrées ici, elles y effaceraient les journaux. Remettez-le sous { $made }, où rien ne doit tourner. Rien n’a été démarré.
folder-letters = { $path } contient { $letter }, que les fichiers des programmes ne savent pas écrire. Indiquez dans CORDEE_HOME un dossier fait de lettres, de chiffres et de - _ . + @. Rien n’a été démarré.
folder-lost = { $path } appartient à l’utilisateur { $owner } et non à { $uid }, sous lequel tournent les bases. Recopiez-le avec propriétaires et droits (tar -p, cp -a), en tant que root. Rien n’a été démarré.
letter-blank = une espace
letter-hidden = un caractère qui ne peut pas être affiché
letter-other = le caractère { $letter }
folder-damaged = { $path } est endommagé. Remettez-le à partir d’une copie du dossier (tous les fichiers d’état de la même copie), ou oubliez le cluster avec ./up --reset.
folder-foreign = { $path } appartient à un autre utilisateur, ou d’autres peuvent y écrire : ils pourraient échanger son contenu. Indiquez un autre dossier dans CORDEE_HOME, ou corrigez son propriétaire et ses droits.
folder-missing = Il manque { $names } dans { $folder }. Remettez-les à partir d’une copie du dossier (tous les fichiers d’état de la même copie), ou oubliez le cluster avec ./up --reset. cordee doctor dit le reste.
folder-newer = { $folder } vient d’une version plus récente de Cordée (disposition { $found }) : utilisez celle-là.
folder-random = Le système n’a pas fourni d’octets aléatoires.
folder-unmarked = { $folder } n’est pas vide et n’a pas été créé par Cordée : il contient { $names }. Rien n’a été modifié. Indiquez un dossier vide dans CORDEE_HOME.
folder-unusable = { $path } ne peut pas être utilisé. { $why }
event-run-anew = Le dossier des sockets avait disparu et a été recréé. Ce qui tourne n’est plus joignable par son ancien socket : cordee doctor le nomme
reason-socket-gone = son socket { $path } a disparu : Cordée ne peut plus l’interroger. Le service continue. Arrêtez le processus (kill { $pid }) : Cordée le relance aussitôt, avec un socket
cli-help-doctor = Examiner tout ce dont le cluster a besoin sur cette machine : dossier d’état, droits, disque, programmes, sockets, ports ; code de retour 1 si quelque chose demande votre intervention, sinon 0
doctor-answers = { $name } tourne et son socket accepte les connexions.
doctor-bad = Une intervention est nécessaire : voir les lignes marquées ✗.
doctor-complete = Le dossier d’état est complet.
doctor-descriptors = Au moins { $needed } fichiers peuvent être ouverts.
doctor-descriptors-few = Seuls { $limit } fichiers peuvent être ouverts ; il en faut peut-être { $needed }. Relevez la limite dure (ulimit -Hn) avant ./up.
doctor-frozen = { $name } est gelé (kill -CONT { $pids } le fait reprendre).
doctor-home = { $folder } est le dossier du cluster { $id }.
doctor-home-none = Il n’y a pas de cluster dans { $folder } : ./up en crée un.
doctor-incomplete = Rien n’indique que le premier démarrage de ce dossier est allé à son terme : le prochain ./up le poursuit.
doctor-keeper = Le gardien tourne.
doctor-mode = { $path } a le mode { $mode } : d’autres ont des droits qu’ils ne doivent pas avoir. chmod go-rwx pour un fichier, go-w pour le dossier.
doctor-no-keeper = Le gardien ne tourne pas : personne ne relance cordee serve. ./up --detach le démarre.
doctor-nothing-runs = Rien de ce cluster ne tourne. ./up le démarre.
doctor-owner = { $path } appartient à l’uid { $uid }, et vous êtes l’uid { $us }.
doctor-port = { $address } est pris par { $holder } : cette adresse manquera au prochain démarrage.
doctor-ports = Les adresses de la page, du site et des bases sont libres, ou nous appartiennent.
doctor-programs = HAProxy, Apache avec PHP et MariaDB sont installés, avec leurs utilisateurs.
doctor-rights = Le dossier et les secrets vous appartiennent, et personne d’autre n’a de droits dessus.
doctor-room = Il reste { $free } Mio dans { $folder }.
doctor-serve = cordee serve répond.
doctor-serve-silent = cordee serve ne répond pas sur { $path }.
doctor-socket = { $name } tourne, mais son socket { $path } ne répond pas. Arrêtez le processus (kill { $pid }) : Cordée le relance aussitôt.
doctor-sqlite = { $path } est intact (schéma { $version }).
doctor-well = Aucune intervention n’est nécessaire.
