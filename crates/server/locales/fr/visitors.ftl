# Visiteurs : la liste, les réglages, le journal des requêtes.

event-log-port = HAProxy web envoie son journal au port { $port }
event-keeping = Les visiteurs sont gardés { $days }, sous forme { $which } ; { $count ->
    [0] aucun proxy en amont n’est cru
    [one] un proxy en amont est cru
   *[other] { $count } proxys en amont sont crus
}
event-keeping-days = { $days ->
    [one] un jour
   *[other] { $days } jours
}
event-keeping-short = de réseaux
event-keeping-whole = d’adresses entières
problem-days = Écrivez un nombre entier de jours, de 1 à { $most }.
problem-trusted = « { $typed } » n’est ni une adresse comme 10.0.0.7 ni un réseau comme 10.0.0.0/8 ; un réseau de toutes les adresses est refusé.
problem-trusted-many = Nommez { $most } proxys au plus.
problem-status = Écrivez un code comme 404, ou une classe comme 5xx.
problem-part = Une adresse ne contient que des chiffres, les lettres a à f, des deux-points, des points et une barre.

nav-visitors = Visiteurs
act-visitors = Visiteurs
visitors-lead = Les adresses qui ont visité le site, vues par HAProxy web. La liste se met à jour toute seule.
visitors-all = Tous les visiteurs
visitors-list = Adresses
visitors-total = { $count ->
    [one] { $count } adresse
   *[other] { $count } adresses
}
visitors-address = Adresse
visitors-first = Première visite
visitors-last = Dernière visite
visitors-requests = Requêtes
visitors-errors = Erreurs
visitors-errors-help = Erreurs : réponses de code 400 ou plus, et requêtes restées sans réponse. Ce que HAProxy a répondu lui-même est sous « HAProxy ».
visitors-shares = Réponses, au total
visitors-server = Serveur
visitors-every = Tous les serveurs
visitors-filter = Filtrer
visitors-none = Personne n’est encore venu, ou personne ne correspond au filtre.
visitors-pages = Autres visiteurs
visitors-newer = Visiteurs plus récents
visitors-older = Visiteurs plus anciens
visitors-changes = Changements sur la page de test de session
visitors-changes-none = Personne n’a encore choisi d’autre couleur.
visitors-changes-help = Le site annonce chaque changement à HAProxy dans un en-tête de réponse, que les visiteurs ne reçoivent pas.
visitors-when = Quand
visitors-from = De
visitors-to = À
visitors-log = Le journal de HAProxy
visitors-log-lead = HAProxy envoie une ligne par requête et n’attend jamais Cordée. Ce qui n’a pas pu être reçu est compté.
visitors-sent = Requêtes
visitors-stored = Dans la liste
visitors-dropped = Hors de la liste
visitors-kernel = { $count ->
    [one] { $count } ligne arrivée plus vite qu’elle n’était lue
   *[other] { $count } lignes arrivées plus vite qu’elles n’étaient lues
}
visitors-unsent = { $count ->
    [one] { $count } ligne que HAProxy n’a pas pu envoyer
   *[other] { $count } lignes que HAProxy n’a pas pu envoyer
}
visitors-crowd = { $count ->
    [one] { $count } requête venue de plus d’adresses que la liste n’en contient
   *[other] { $count } requêtes venues de plus d’adresses que la liste n’en contient
}
visitors-unreadable = { $count ->
    [one] { $count } ligne incomprise
   *[other] { $count } lignes incomprises
}
visitors-foreign = { $count ->
    [one] { $count } ligne que HAProxy n’a pas écrite : un programme de cette machine l’a envoyée, elle n’est pas prise en compte
   *[other] { $count } lignes que HAProxy n’a pas écrites : un programme de cette machine les a envoyées, elles ne sont pas prises en compte
}
visitors-gaps = Périodes sans liste
visitors-gap-count = { $count ->
    [one] il manque environ { $count } requête
   *[other] il manque environ { $count } requêtes
}
visitors-gap-unknown = HAProxy a redémarré entre-temps : le nombre de requêtes manquantes n’est pas connu
visitors-most = La liste peut contenir { $most } adresses ; les suivantes sont comptées sans y entrer, jusqu’à ce que d’anciennes soient oubliées.
visitors-deaf = Le journal de HAProxy n’est pas reçu
visitors-deaf-help = Aucun port n’était libre pour lui au démarrage de Cordée. Redémarrez Cordée quand il y en aura un.
visitors-keeping = Ce qui est retenu
visitors-days = Jours
visitors-days-help = Un visiteur qui ne revient pas pendant ce temps est oublié, ses changements aussi.
visitors-shorten = Raccourcir les adresses
visitors-shorten-help = Seul le réseau est gardé : les 24 premiers bits d’une adresse IPv4, 48 d’une adresse IPv6. Ce qui est déjà dans la liste est raccourci aussi.
visitors-trusted = Proxys de confiance en amont
visitors-trusted-help = Leur X-Forwarded-For dit qui visite, pour cette liste et pour le site, et ce qu’ils disent d’autre (X-Forwarded-Proto, Forwarded…) atteint le site ; ce qu’en disent les autres est retiré. Adresses ou réseaux, séparés par des virgules.
visitors-keep = Enregistrer
logs-requests = Requêtes
logs-requests-help = Vues par HAProxy, la plus récente d’abord
logs-no-requests = Aucune requête depuis le démarrage de Cordée.
logs-no-match = Aucune requête ne correspond, depuis le démarrage de Cordée.
logs-status = Code
logs-path = Chemin contenant
logs-asked = Demande
logs-took = Durée
logs-agent = Programme
problem-table = Il y a deux tableaux : visitors et changes.
cli-visitors-sum = { $total ->
    [one] { $total } adresse
   *[other] { $total } adresses
} ; { $stored ->
    [one] { $stored } requête
   *[other] { $stored } requêtes
} dans la liste, { $dropped } hors d’elle
cli-help-visitors = Montre qui est venu, le dernier d’abord
cli-help-keep-visitors = Choisit comment les visiteurs sont retenus ; ce qui n’est pas donné reste
cli-help-requests = Montre les dernières requêtes auxquelles un serveur web a répondu
cli-help-visitors-server = Seulement ce que ce serveur a répondu
cli-help-visitors-address = Seulement les adresses qui contiennent cela
cli-help-visitors-limit = Lignes, de 1 à 1000, les plus récentes
cli-help-visitors-changes = Qui a changé de couleur sur la page de test de session
cli-help-visitors-csv = En tableau pour d’autres programmes
cli-help-days = Jours après lesquels un visiteur qui n’est pas revenu est oublié
cli-help-shorten = Garde les réseaux au lieu des adresses
cli-help-trusted = Proxys en amont dont le X-Forwarded-For est cru, avec des virgules ; vide pour aucun
cli-help-requests-status = Seulement ce code : 404, ou 5xx
cli-help-requests-path = Seulement les chemins qui contiennent cela

# Les couleurs de la page de test
colour-rouge = rouge
colour-orange = orange
colour-jaune = jaune
colour-vert = vert
colour-turquoise = turquoise
colour-bleu = bleu
colour-violet = violet
colour-rose = rose
