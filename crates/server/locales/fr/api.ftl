# L’API
api-refreshed = Tout vient d’être vérifié.
event-cleaned = { $count ->
    [one] {$count} reste supprimé
   *[other] {$count} restes supprimés
}
event-token = Jeton {$name} créé
problem-action-unknown = Cette action n’existe pas. Les actions sont drain, maintenance, ready, restart, stop, start, promote, recopy, verify, test et logs.
problem-body-json = Le corps de la requête n’est pas du JSON valide.
problem-body-large = Le corps de la requête dépasse {$kib} Kio.
problem-body-object = Le corps doit être un objet JSON, par exemple {"{"}"name": "web3", "start": true{"}"}.
problem-body-slow = Le corps de la requête n’est pas arrivé à temps.
problem-body-type = Le corps doit être envoyé en application/json.
problem-dsn-account = Le compte est app ou owner.
problem-dsn-server = Cette base de données n’existe pas.
problem-engine-slow = La réponse n’est pas venue en {$seconds} secondes. Rien n’a été modifié : répétez la demande dans un moment.
problem-cleaning = Un nettoyage est en cours. Redemandez dans un moment.
problem-event-id = Ce n’est pas le numéro d’un événement, qui est un nombre entier.
problem-flag = Indiquez true ou false.
problem-last-healthy = Aucun autre serveur web ne répond ou n’est sur le point de répondre : sans { $name }, les visiteurs n’ont plus rien. En ligne de commande --force, dans l’API force=true le fait quand même.
problem-last-database-stops = Aucune autre base ne répond ou n’est sur le point de répondre : sans { $name }, le site n’a plus de base. En ligne de commande --force, dans l’API force=true le fait quand même.
problem-last-standby = Aucune autre base que { $name } ne peut prendre le relais : sans ses données, celles d’une base d’écriture perdue sont perdues. En ligne de commande --force, dans l’API force=true le fait quand même.
problem-stopped = { $name } est arrêté : personne n’y arrive avant son démarrage. Démarrez-le d’abord (page : « Démarrer » ; ligne de commande : cordee start { $name } ; API : POST …/start).
problem-not-waiting = { $name } n’attend aucun autre serveur.
problem-wait = Un temps d’attente est un nombre suivi de s ou ms, au plus { $seconds } s.
real-unseen = Cordée n’a pas encore regardé depuis.
real-overtaken = Une demande ultérieure l’a remplacée.
real-server = { $name } : { $word }
real-server-because = { $name } : { $word } ({ $reason })
real-proxy = { $proxy } : { $word }, pas encore tout comme demandé
real-not-promoted = { $name } n’est pas devenue la base où l’on écrit ; le journal dit pourquoi.
problem-member-text = Ce doit être une chaîne de caractères.
problem-member-unknown = Ce champ n’existe pas.
problem-method = Cette adresse n’accepte pas cette méthode.
problem-no-logs = {$name} n’a pas été démarré par Cordée : ses journaux sont sur sa propre machine.
problem-not-here = Il n’y a rien à cette adresse.
problem-number = Ce doit être un nombre entier de {$first} à {$last}.
problem-promote-web = { $name } est un serveur web : seule une base peut recevoir les écritures.
problem-requests-db = { $name } est une base : seuls les serveurs web répondent à des requêtes.
problem-rows-web = { $name } est un serveur web : seule une base a des lignes à comparer, à réparer ou à recopier.
problem-waits-db = { $name } est une base : seul un serveur web en attend un autre pour partir.
problem-query = La partie de l’adresse qui suit le point d’interrogation est illisible.
problem-routing-pool = Seules les bases se répartissent les écritures : le groupe est « db ».
problem-token-name = Le nom d’un jeton commence par une lettre et compte au plus 63 lettres, chiffres, traits d’union et tirets bas.
problem-token-taken = Un jeton {$name} existe déjà.

# La ligne de commande
cli-added = {$name} est ajouté à l’adresse {$address} et entre en service dès que sa première vérification réussit.
cli-added-out = {$name} est ajouté à l’adresse {$address}, en maintenance : il reçoit des visiteurs après cordee ready {$name}.
cli-added-db = {$name} est ajoutée à l’adresse {$address}. Elle est copiée, rattrape les autres et est comparée avant de rejoindre le groupe : suivez-la avec cordee status.
cli-age-ms = il y a {$ms} ms
cli-age-s = il y a {$seconds} s
cli-all-writers = Toutes les bases reçoivent des écritures.
cli-also = écrit aussi
cli-bad-answer = Ce qui a répondu n’est pas cette version de Cordée.
cli-bad-token = CORDEE_TOKEN contient des caractères qu’aucun jeton ne porte.
cli-bad-url = CORDEE_URL doit avoir la forme http://HÔTE:PORT.
cli-bytes = { $count ->
    [one] {$count} octet
   *[other] {$count} octets
}
cli-clean-done = { $count ->
    [one] Cet élément a été supprimé.
   *[other] Ces {$count} éléments ont été supprimés.
}
cli-clean-nothing = Rien à nettoyer : tout ici a sa raison d’être.
cli-clean-would = { $count ->
    [one] Cet élément serait supprimé. Pour le faire : cordee clean --apply
   *[other] Ces {$count} éléments seraient supprimés. Pour le faire : cordee clean --apply
}
cli-col-address = ADRESSE
cli-col-cookie = COOKIE
cli-col-last = DERNIÈRE VÉRIF.
cli-col-listen = ÉCOUTE SUR
cli-col-pool = GROUPE
cli-col-proxy = RÉPARTITEUR
cli-col-reason = RAISON
cli-col-server = SERVEUR
cli-col-sessions = SESSIONS
cli-col-status = STATUT
cli-deadline = Cordée n’a pas répondu en {$seconds} s. La demande peut encore aboutir : regardez avec cordee status.
cli-diverged = divergente
cli-dsn-host = hôte
cli-dsn-password = mot de passe
cli-dsn-port = port
cli-dsn-schema = schéma
cli-dsn-user = utilisateur
cli-joining = rejoint
cli-leaving = s’en va
cli-local-only = Cela ne marche que sur la machine où tourne Cordée, sans CORDEE_URL.
cli-lost = La réponse s’est perdue en route. Résultat inconnu : regardez avec cordee status avant de répéter la demande.
cli-lost-look = La réponse s’est perdue en route. Rien n’était à changer : demandez de nouveau.
cli-never = jamais
cli-returning = revient
cli-setup-used = Le code d’installation a servi : un compte existe. Connectez-vous sur la page.
cli-standby = secours
cli-step-failed = échec
cli-step-ok = réussi
cli-unreachable = Cordée ne répond pas à {$place}. Pour la démarrer : ./up
cli-unreachable-url = Cordée ne répond pas à {$place}. Soit elle n’y tourne pas, soit CORDEE_URL n’est pas son adresse.
cli-silent-url = Cordée, à {$place}, accepte les connexions et ne répond pas : aucun signe de vie depuis { $seconds } s. La demande peut encore être exécutée : vérifiez avec cordee status.
cli-add-start = Pour un nouveau serveur sur cette machine : cordee add {$pool} {$name} --start
cli-one-server = Un serveur à la fois : {$first} est un serveur, pas un groupe. Relancez la commande pour {$second}.
cli-pool-alone = « {$pool} » est un groupe, pas un serveur : donnez le nom d’un serveur, par exemple {$name}.
cli-writer = écriture

cli-usage = La commande ne s’utilise pas ainsi. Voir : cordee --help
cli-usage-conflict = { $what } et { $other } s’excluent.
cli-usage-missing = Il manque {$what}. Voir : cordee --help
cli-usage-many = « {$what} » est un mot de trop pour cette commande. Voir : cordee --help
cli-usage-unknown = « {$what} » n’existe pas. Voir : cordee --help
cli-usage-value = {$what} ne peut pas avoir cette valeur. Voir : cordee --help

# Ce que dit --help
cli-help-accept-loss = Même si celle qui écrit est perdue et détient des écritures qu’aucune autre base n’a reçues : elles vont manquer
cli-help-account = app (par défaut) lit et écrit les données, owner change aussi les tables, monitor surveille les bases (PROCESS, SLAVE MONITOR) et ne lit aucune ligne
cli-help-add = Ajouter un serveur : un serveur web qui existe, ou avec --start un nouveau serveur web ou une nouvelle base sur cette machine
cli-help-add-start = Démarrer un nouveau serveur sur cette machine
cli-help-add-out = Un serveur web : en maintenance, sans visiteurs avant cordee ready
cli-help-address = Adresse IP ou nom d’hôte d’un serveur qui existe
cli-help-apply = Supprimer ce que montre la liste
cli-help-clean = Lister ce qu’aucun souhait n’explique (dossiers de serveurs retirés, anciens journaux, brouillons) ; avec --apply, le supprimer
cli-help-commands = Commandes
cli-help-cookie = Valeur du cookie d’affinité ; automatique si absente
cli-help-cordee = Fait marcher un cluster de serveurs web et de bases de données derrière deux HAProxy.
cli-help-drain = Ne plus donner de nouveaux visiteurs à un serveur web ; ceux qui ont son cookie l’atteignent encore. Remise en service : cordee ready
cli-help-dsn = Montrer comment votre application atteint les bases de données, mot de passe compris (sur cette machine seulement)
cli-help-dsn-json = En JSON : host, port, user, password, schema, url, et de même pour la base qui écrit (writer_host, writer_port, writer_url)
cli-help-dsn-server = Une base de données elle-même, au lieu du HAProxy placé devant
cli-help-environment = Les commandes parlent à la Cordée de cette machine par son socket, ou à CORDEE_URL (http://HÔTE:PORT) avec CORDEE_TOKEN. Codes de retour : 0 fait, 1 refusé ou échoué, 2 mauvais usage, 3 Cordée ne répond pas, 4 accepté et toujours en cours ; de status aussi 5 tout ne va pas bien, 6 en panne, 7 état inconnu ; avec 1 à 3, on ne sait rien du site (1 : un jeton faux, par exemple).
cli-help-examples = Exemples :
cli-help-force = Même si aucun autre serveur ne répond, ou qu’aucune autre base ne peut prendre le relais
cli-help-wait = Attendre au plus ce temps que la demande soit réalisée : 30s, 500ms, 5m (60s par défaut)
cli-help-no-wait = Rendre la main dès que la demande est enregistrée
cli-on-page = sur la page
cli-under-way = Toujours en cours, et cela continue : { $why }
cli-help-anyway = Sortir tout de suite un serveur web qui en attend un autre, même si personne d’autre ne répond
cli-help-withdraw = Garder finalement en service un serveur web qui en attend un autre
cli-help-help = Montrer cette aide
cli-help-history = Montrer le journal : qui a fait quoi, et ce qui s’est passé
cli-help-home = Dossier de l’état du cluster
cli-help-limit = Lignes, de 1 à 500, les plus récentes ; 50 si absent
cli-help-checks = Avec les lignes des vérifications et des questions de Cordée elle-même
cli-help-lines = Lignes de chaque fichier, de 1 à 1000 ; 200 si absent
cli-help-logs = Montrer les dernières lignes des journaux d’un serveur
cli-help-maintenance = Ne plus donner aucun visiteur à un serveur web et ne plus le vérifier. Remise en service : cordee ready
cli-help-name = Lettres, chiffres, - et _, en commençant par une lettre
cli-help-plan = Montrer comment une nouvelle base rejoindrait le groupe, ou pourquoi elle ne le pourrait pas ; rien n’est fait
cli-help-pool = Le groupe : web ou db
cli-help-port = Port TCP ; 80 si absent, ou avec --start un port libre
cli-help-promote = Promouvoir une base : l’actuelle est fermée, celle-ci se met à jour, puis elle est ouverte
cli-help-proxy = web ou db
cli-help-ready = Remettre un serveur web en service
cli-help-recopy = Mettre les données d’une base à la corbeille et lui donner une nouvelle copie, sous un nouvel identifiant
cli-help-refresh = Tout vérifier maintenant, et revenir quand c’est fait
cli-help-reload = Relancer le processus d’un HAProxy à partir de son fichier, sans perdre une connexion
cli-help-remove = Retirer un serveur ; celui que Cordée a démarré est arrêté, et ses fichiers vont à la corbeille
cli-help-restart = Arrêter un serveur que Cordée a démarré, et le redémarrer
cli-help-routing = Choisir quelles bases reçoivent les écritures : une seule, ou toutes à tour de rôle
cli-help-routing-pool = Le groupe : db
cli-help-routing-word = one-writer, ou all-writers : de deux modifications d’une même ligne dans le temps du retard entre les bases, l’une peut être perdue sans erreur
cli-help-serve = Faire tourner Cordée au premier plan : la page, l’API et le moteur. ./up le fait, avec tout ce qui précède
cli-help-server = Le nom du serveur ; son groupe peut le précéder
cli-help-setup-code = Montrer le code avec lequel le premier compte est créé sur la page (sur cette machine seulement)
cli-help-start = Démarrer un serveur qui a été arrêté
cli-help-status = Montrer le cluster : verdict, répartiteurs, serveurs ; code de sortie 0 tout va bien, 5 tout ne va pas bien, 6 en panne, 7 état inconnu
cli-help-status-json = Tout l’état, tel que l’API le donne
cli-help-stop = Arrêter un serveur que Cordée a démarré ; il le reste jusqu’à start
cli-help-test = Essayer la connexion à un serveur, étape par étape ; code de sortie 1 si une étape échoue
cli-help-token = Jetons pour les programmes qui utilisent l’API
cli-help-token-create = Créer un jeton et l’afficher, cette seule fois (sur cette machine seulement)
cli-help-token-name = Figure dans le journal sous la forme token:NOM
cli-help-usage = Utilisation :
cli-help-verify = Comparer les lignes d’une base avec celles de la base qui écrit, et dire ce qui est trouvé ; code de sortie 1 si elles ne sont pas prouvées égales
cli-help-version = Montrer la version
cli-help-detach = Rendre la main dès que tout ce qui est démarré est en service, même si un avertissement demeure : code de sortie 0, ou 1 après 90 s sans cela
cli-help-down = Arrêter tout ce que up a démarré ; ce qui est enregistré reste
cli-help-forgotten = Ne pas demander le mot de passe actuel
cli-help-password = Changer le mot de passe du compte de la page et terminer ses sessions ; les deux sont lus sur l’entrée standard, un par ligne (sur cette machine seulement)
cli-help-reset = Oublier d’abord l’état
cli-help-token-days = Jours pendant lesquels il est valable, 1 à 3650 ; sans fin si absent
cli-help-token-list = Lister les jetons : quand ils ont été créés et employés, et jusqu’à quand ils valent
cli-help-token-revoke = Révoquer un jeton ; qui le détient est refusé aussitôt
cli-help-token-which = Son nom
cli-help-up = Démarrer le cluster, ou le trouver en marche ; ./up compile d’abord Cordée
cli-help-yes = Ne pas demander
cli-dsn-url = URL
cli-dsn-writer-host = hôte de la base qui écrit
cli-dsn-writer-port = port de la base qui écrit
cli-dsn-writer-url = URL de la base qui écrit
cli-password-again = Le nouveau, une deuxième fois :
cli-password-changed = Le mot de passe de { $name } est changé ; toutes les sessions sont terminées. Les jetons restent valables : cordee token list les montre, cordee token revoke NOM en révoque un.
cli-password-left = Abandonné ; rien n’est changé.
cli-password-new = Nouveau mot de passe :
cli-password-present = Mot de passe actuel :
cli-password-unread = Le mot de passe n’a pas pu être lu sur l’entrée standard.
cli-rows-comparing = les lignes sont en train d’être comparées
cli-rows-differ = { $count ->
    [one] { $name } : { $count } table diffère de celle de la base qui écrit ; cordee repair la remet en ordre
   *[other] { $name } : { $count } tables diffèrent de celles de la base qui écrit ; cordee repair les remet en ordre
}
end-added = { $name } : ajout fait.
end-added-out = { $name } : ajout fait, en maintenance.
end-copied = { $name } : nouvelle copie faite.
end-done = C’est fait.
end-promoted = { $name } prend les écritures.
end-removed = { $name } : retrait fait.
end-restarted = { $name } : redémarrage fait.
end-started = { $name } : en marche.
end-started-out = { $name } : en marche, sans nouveau visiteur jusqu’à sa remise en service.
end-stopped = { $name } : à l’arrêt.
cli-logs-hidden = { $count ->
    [one] ({ $count } ligne de vérification omise ; --checks la montre)
   *[other] ({ $count } lignes de vérification omises ; --checks les montre)
}
