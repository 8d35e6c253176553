# La comparaison des façons de garder les sessions.

nav-sessions = Essais de session
compare-title = Sessions : cinq façons, mesurées
compare-lead = Où vit la session d’un visiteur, et ce qu’elle devient quand des requêtes se croisent ou qu’un serveur tombe. Chaque case est mesurée sur cette machine.
compare-begin = Commencer les essais
compare-begin-help = Un cluster à part est démarré pour ces essais (deux serveurs web, deux bases, sur des ports libres), puis retiré : les visiteurs du site ne remarquent que la charge de cette machine. Cela dure environ une minute.
compare-begin-title = Mesurer
compare-cancel = Abandonner
compare-controls = Les façons 1 et 5 sont des témoins : elles montrent ce qui casse, et ne peuvent pas être mises en service.
compare-experiment = Essai
compare-history = Essais précédents
compare-how = Comment c’est mesuré
compare-json = Exporter en JSON
compare-no-matter = Sans objet
compare-not-yet = non mesuré
compare-now = En cours
compare-rates = Requêtes par seconde
compare-rates-help = huit visiteurs à la fois, qui écrivent chacun 1,5 Ko
compare-surprise = contraire à ce qui était prévu
compare-table = Cinq façons, mesurées ici
compare-times = Durée d’une requête
compare-times-help = foncé : la moitié ; clair : 99 sur 100
event-trial-begun = Comparaison des sessions commencée
problem-no-trial = Il n’y a pas d’essai { $id }.
problem-trial-running = Des essais sont déjà en cours.
trial-advised = conseillé
trial-broken-off = Interrompus : Cordée s’est arrêtée au milieu
trial-cancelled = La comparaison des sessions a été abandonnée
trial-control = témoin
trial-done = Comparaison des sessions terminée
trial-doing = { $way } : { $experiment }
trial-doing-clear = Le cluster des essais est en train d’être retiré
trial-doing-start = Un cluster à part est en train de démarrer
trial-ended = La comparaison des sessions n’a pas pu continuer : { $why }
trial-failed = { $why }
trial-figure = mesure
trial-no-answer = la page d’essai n’a pas répondu
trial-no-login = personne n’a pu se connecter
trial-no-ports = il n’y a pas 24 ports libres à la suite entre 18700 et 20700
trial-not-copied = la session n’est pas arrivée dans l’autre base
trial-right = Oui
trial-running = Les essais sont en cours
trial-sandbox = le cluster des essais n’a pas fait ce qui lui était demandé (log/sandbox.log)
trial-unknown = Non mesuré
trial-wrong = Non

way-files-anywhere = Fichiers, chacun son tour
way-files-sticky = Fichiers et cookie de HAProxy
way-locked = Base, un écrivain, verrou
way-unlocked = Base, un écrivain, sans verrou
way-two-writers = Base, deux écrivains à la fois

trial-login-across = Connecté sur chaque serveur
trial-login-across-how = Un visiteur se connecte, puis demande 100 fois qui il est. Combien de fois est-ce la même personne ?
trial-server-death = Connecté après la mort d’un serveur
trial-server-death-how = 50 visiteurs se connectent ; web1 est tué (SIGKILL) et maintenu à terre ; chacun demande une fois.
trial-lost-updates = Aucune mise à jour perdue
trial-lost-updates-how = Huit requêtes d’une même session à la fois, cinq fois de suite, chacune ajoute 1 avec 20 ms entre la lecture et l’écriture. Les ajouts confirmés sont comparés au compteur.
trial-different-keys = Deux requêtes gardent la clé de l’autre
trial-different-keys-how = Deux requêtes d’une même session commencent ensemble et écrivent chacune sa clé, après 60 et 120 ms. Cinq fois.
trial-logout-final = Une déconnexion est définitive
trial-logout-final-how = Une requête de 500 ms est en cours quand le visiteur se déconnecte ; ensuite l’ancien cookie est essayé quatre fois. Cinq fois ; une seule avec deux écrivains, car le premier conflit peut arrêter la copie. À tour de rôle, jusqu’à quatre essais par tour : le serveur que la déconnexion atteint dépend des autres requêtes.
trial-stale-read = Ce qui est écrit est lu
trial-stale-read-how = 100 fois : écrire une valeur, puis la lire par la requête suivante.
trial-copies = Les bases restent d’accord
trial-copies-how = Après les essais : les deux copies marchent-elles, et la ligne de chaque session est-elle la même dans les deux ? Avec deux écrivains, chacune applique ce que l’autre a écrit 2 s plus tard : le conflit est provoqué, pas attendu.
trial-latency = Durée d’une requête
trial-latency-how = 200 requêtes qui écrivent 1,5 Ko dans une session, en alternance avec 200 sans session, un visiteur.
trial-throughput = Requêtes par seconde
trial-throughput-how = Huit visiteurs à la fois pendant 3 s, chacun écrit 1,5 Ko dans sa session.

trial-kept = { $kept } sur { $of }
trial-survived = { $kept } sur { $of }, { $failed } sans page, la plus lente { $ms } ms
trial-updates = { $lost } perdues sur { $acknowledged }
trial-returned = revenue { $returned } fois sur { $of }
trial-stale = { $stale } périmées sur { $of }
trial-copies-run = { $different ->
    [0] toutes les lignes égales
    [one] { $different } ligne différente
   *[other] { $different } lignes différentes
}
trial-copies-stand = la copie est arrêtée
trial-times = { $median },{ $medianpart } ms ; 99 sur 100 en moins de { $high },{ $highpart } ms ; sans session { $without },{ $withoutpart } ms
trial-rate = { $rate } par seconde

cli-help-compare = Comparer les façons de garder les sessions, sur un cluster à part
cli-help-compare-begin = Commencer les essais ; cela dure quelques minutes
cli-help-compare-cancel = Abandonner les essais
cli-help-compare-show = Montrer les derniers essais
cli-no-trial = Il n’y a pas d’essais.
cli-trial = Essais { $id }, { $done } sur { $of } : { $says }
