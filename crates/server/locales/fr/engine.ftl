# Ce que disent le moteur, le test de connexion, « nettoyer la configuration » et ./up.

clean-draft = Brouillon d’un fichier de configuration, laissé par un acte qui n’a pas fini.
clean-log = Moitié ancienne d’un journal.
clean-socket = Socket d’un serveur qui n’est plus là.
clean-trash = Dossier d’un serveur retiré, ou fichier modifié à la main et remplacé.
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
event-reloaded = HAProxy { $proxy } rechargé : le nouveau processus suit le nouveau fichier
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
reason-not-found = Le nom est introuvable.
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
up-missing = { $path } manque : installez le paquet { $package }, ou lancez ./up, qui le fait.
up-page = Page
up-port = { $address } est pris par { $holder }. Arrêtez-le, ou choisissez une autre adresse avec { $variable }. Rien n’a été démarré.
up-site = Site
up-stay = Ctrl-C arrête le cluster. Pour le laisser tourner : ./up --detach
up-unhealthy = Le cluster n’est pas en bon état après 90 s. « cordee status » dit ce qui manque ; le journal est { $log }
up-user = L’utilisateur système { $user } manque ; lancez ./up, qui le crée.
up-writer = Bases, celle qui écrit
down-done = Arrêté.
down-left = { $count ->
    [one] { $count } processus n’a pas pu être arrêté.
   *[other] { $count } processus n’ont pas pu être arrêtés.
}
down-nothing = Rien ne tourne ici.
reset-kept = Rien n’a été changé.
reset-question = Ceci arrête le cluster et supprime tout ce qui est dans { $home }, bases comprises. Tapez oui pour continuer :
up-ignored = Le cluster tourne déjà : de nouvelles adresses prendront effet après ./up --down.
up-open = { $address } n’est pas une adresse de bouclage : la page parle HTTP en clair, gardez ce réseau fermé aux inconnus.
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
