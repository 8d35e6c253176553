# Ce que disent le domaine, le moteur et le serveur. Une ligne par phrase.

# Journal
event-added = { $name } ajouté
event-added-out = { $name } ajouté, en maintenance
event-drain = { $name } ne doit plus recevoir de nouveaux visiteurs
event-maintenance = { $name } doit passer en maintenance
event-ready = { $name } remis en service
event-reload = Rechargement de { $proxy } demandé
event-removed = { $name } retiré
event-leaves-web = Retrait de { $name } demandé
event-withdrawn = { $name } reste finalement en service
event-insisted = Sortie de { $name } demandée bien qu’aucun autre serveur web ne réponde
event-restart = Redémarrage de { $name } demandé
event-start = Démarrage de { $name } demandé
event-stop = Arrêt de { $name } demandé
event-turn = { $name } : { $word }
event-turn-reason = { $name } : { $word } ({ $reason })

# Refus
problem-address-empty = Indiquez l’adresse IP ou le nom d’hôte du serveur, par exemple 10.0.0.15 ou web3.lan.
problem-address-ipv4 = Ce n’est pas une adresse IPv4 : il faut quatre nombres de 0 à 255. Exemple : 10.0.0.15.
problem-address-ipv4-part = « { $part } » n’est pas un nombre de 0 à 255 : ce n’est pas une adresse IPv4. Exemple : 10.0.0.15.
problem-address-own = Cette adresse et ce port sont ceux de Cordée ou d’un de ses HAProxy : il s’enverrait les visiteurs à lui-même.
problem-address-shape = Ce n’est ni une adresse IP ni un nom d’hôte. Exemples : 10.0.0.15, [2001:db8::15], web3.lan.
problem-address-start = Cordée démarre un serveur seulement sur cette machine : laissez l’adresse vide, ou mettez 127.0.0.1.
problem-address-taken = { $name } a déjà cette adresse et ce port.
problem-address-unusable = { $address } ne peut pas être l’adresse d’un serveur.
problem-cookie = 64 caractères au plus, des lettres, des chiffres et ! % & * + - . ^ _ | ~ ; laissez vide pour une valeur automatique.
problem-cookie-taken = { $name } a déjà ce cookie : choisissez une autre valeur, ou laissez vide.
problem-db-admin = Une base de données ne se met ni à l’écart ni en maintenance : arrêtez-la, ou redémarrez-la.
problem-external = Cordée n’a pas démarré { $name } : elle le surveille seulement, et ne peut ni l’arrêter ni le redémarrer.
problem-name-empty = Donnez un nom au serveur, par exemple web3.
problem-name-reserved = « { $name } » est un mot réservé : choisissez un autre nom.
problem-name-shape = Une lettre d’abord, puis des lettres, des chiffres, « - » ou « _ » ; 63 caractères au plus, sans accent ni espace.
problem-name-taken = { $name } existe déjà. Les majuscules ne comptent pas.
problem-other-site = Cette demande vient d’un autre site : rien n’a été fait.
problem-page-name = La page ne répond pas au nom « { $name } ». Ouvrez-la à { $address }, ou démarrez Cordée avec ce nom dans CORDEE_PAGE_NAMES.
problem-no-host = La requête ne nomme aucun hôte. HTTP/1.1 exige une ligne « Host ».
problem-head-long = L’en-tête de cette requête dépasse { $most } Kio.
problem-pool-unknown = Ce groupe n’existe pas : il y a « web » et « db ».
problem-port = Le port est un nombre de 1 à 65535.
problem-ports-full = Aucun port n’est libre de { $first } à { $last } sur cette machine.
problem-server-unknown = Aucun serveur ne s’appelle { $name }.
problem-server-other = { $name } est un autre serveur à présent : regardez-la de nouveau avant de demander.
problem-unanswered = Aucune réponse. Résultat inconnu : regardez l’état avant de répéter la demande.
problem-stopping = Cordée est en train de s’arrêter : réessayez dans quelques secondes.
problem-store = L’état n’a pas pu être lu ou écrit : rien n’a été fait. Le détail est dans le journal de Cordée.
problem-unauthorised = Connectez-vous, ou envoyez un jeton valable.

# Raisons : elles suivent un statut, donc sans majuscule ni point
reason-answered = { $status } en { $ms } ms
reason-answered-plain = a répondu en { $ms } ms
reason-bad-status = a répondu par l’erreur { $status }
reason-behind = { $seconds } s de retard
reason-code = code { $code } de HAProxy
reason-delay = retard de { $ms } ms
reason-delay-unknown = { $count ->
    [one] retard inconnu tant que { $names } ne répond pas
   *[other] retard inconnu tant que { $names } ne répondent pas
}
reason-drain = { $count ->
    [one] { $count } visiteur encore attaché
   *[other] { $count } visiteurs encore attachés
}
reason-drain-since = { $count ->
    [one] { $count } visiteur encore attaché, compté depuis { $minutes } min
   *[other] { $count } visiteurs encore attachés, comptés depuis { $minutes } min
}
reason-drain-free = aucun visiteur ne lui est attaché : les sessions sont dans la base
reason-drain-uncounted = on ne sait pas combien de visiteurs lui sont encore attachés
reason-failing = { $failed ->
    [one] { $failed } échec sur { $goal }
   *[other] { $failed } échecs sur { $goal }
}
reason-first-check = attend sa première vérification réussie
reason-frozen = { $count ->
    [one] pid { $pids }, suspendu
   *[other] pid { $pids }, suspendus
}
reason-group-frozen = { $count } processus du groupe { $pid } sont suspendus
reason-link-silent = n’entend rien de { $from } alors que les deux tournent : si cela dure, refaites sa copie
reason-link-broken = ne reçoit plus ce que { $from } écrit
reason-link-starting = va recevoir ce que { $from } écrit
reason-link-error = erreur { $code } en copiant { $from }
reason-maintenance = aucun visiteur, aucune vérification
reason-name = le nom { $name } est introuvable
reason-name-unusable = le nom { $name } désigne { $address }, qu’aucun serveur ne peut avoir
reason-never = aucune donnée jusqu’ici
reason-no-answer = pas de réponse en { $ms } ms
reason-no-check = pas encore vérifié
reason-not-connected = pas de connexion
reason-no-connection = pas de connexion en { $ms } ms
reason-no-schema = ses schémas et ses tables sont en cours de création
reason-not-http = la réponse n’est pas du HTTP
reason-not-database = la réponse n’est pas celle d’une base de données
reason-observed = une connexion pour un visiteur a échoué
reason-parent-frozen = le processus parent { $pids } est figé ; ses enfants répondent, et personne ne remplace celui qui s’arrête
reason-peer-stopped = { $count ->
    [0] { $from } est arrêtée : il n’y a plus de copie
    [one] { $from } est arrêtée ; une autre base copie celle-ci
   *[other] { $from } est arrêtée ; { $count } autres copient celle-ci
}
reason-process-gone = le processus s’est terminé
reason-recovering = { $done ->
    [one] { $done } réussite sur { $goal }
   *[other] { $done } réussites sur { $goal }
}
reason-refused = connexion refusée
reason-stale = { $seconds ->
    [0] dernières données il y a moins de 1 s
   *[other] dernières données il y a { $seconds } s
}
reason-stopped-by = par { $who }
reason-stopped-by-person = demandé
reason-two-writers = accepte des écritures, alors qu’une autre base les reçoit
reason-unreachable = machine injoignable
reason-version = version { $version }

# Statuts
status-applying = En cours d’application
status-alone = Copie interrompue
status-behind = En retard
status-closed = Écritures fermées
status-creating = Création
status-down = Hors ligne
status-draining = Mis à l’écart
status-drift = En ligne, mais à corriger
status-frozen = Processus figé
status-half-frozen = Processus en partie figé
status-in-sync = Synchronisée
status-joining = Entrée en service
status-linking = Réplication en préparation
status-maintenance = En maintenance
status-open = Ouverte à tort
status-opening = Ouverture des écritures
status-recovering = Retour en cours
status-replication-stopped = Réplication arrêtée
status-restarting = Redémarrage
status-starting = Démarrage
status-stopped = À l’arrêt
status-double = En double
reason-double = son nom désigne l’adresse et le port de { $name } : c’est un seul serveur, il ne reçoit pas de visiteurs deux fois
status-waits = En attente
status-stopping = Arrêt en cours
status-unknown = État inconnu
status-unreachable = Injoignable
status-up = En ligne

# Le verdict : un titre sans point, puis une phrase
verdict-blind = État inconnu
verdict-blind-reason = { $proxy } { $seconds ->
    [0] ne répond pas.
   *[other] ne répond pas depuis { $seconds } s.
}
verdict-count = { $web ->
    [one] { $web } serveur web
   *[other] { $web } serveurs web
} sur { $webs }, { $db ->
    [one] { $db } base
   *[other] { $db } bases
} sur { $dbs }.
verdict-critical = Le site ne répond pas
verdict-empty = Il n’y a aucun serveur web : ajoutez le premier.
verdict-checking = Vérification
verdict-frozen = { $proxy } est figé : plus personne n’est servi par lui.
verdict-good = Tout fonctionne
verdict-good-aside = { $count ->
    [one] Tout fonctionne, { $names } mis de côté
   *[other] Tout fonctionne, { $names } mis de côté
}
verdict-good-draining = { $count ->
    [one] Tout fonctionne, { $names } ne reçoit plus de nouveaux visiteurs
   *[other] Tout fonctionne, { $names } ne reçoivent plus de nouveaux visiteurs
}
verdict-good-coming = { $count ->
    [one] Tout fonctionne, { $names } entre en service
   *[other] Tout fonctionne, { $names } entrent en service
}
count-servers = { $count ->
    [one] { $count } serveur
   *[other] { $count } serveurs
}
verdict-no-database = Le site n’a plus de base de données
verdict-no-web = Aucun serveur web n’est en ligne.
verdict-half-frozen = Le processus maître de { $proxy } est figé : le service est rendu, sans nouveau fichier possible.
verdict-no-writer = { $name }, la base qui reçoit les écritures, ne répond pas.
verdict-proxy-down = { $proxy } est arrêté ; Cordée le redémarre.
verdict-port = Un autre programme occupe le port { $port }, sur lequel écoute { $name }.
verdict-unserved = { $proxy } : pas encore de réponse à ses adresses.
verdict-risk = Service rendu, mais fragile
verdict-writer-coming = { $name }, la base qui reçoit les écritures, n’en prend pas encore.
verdict-risk-reason = { $count ->
    [one] { $names } demande votre attention.
   *[other] { $names } demandent votre attention.
} En bon état : { $web ->
    [one] { $web } serveur web
   *[other] { $web } serveurs web
} sur { $webs }, { $db ->
    [one] { $db } base
   *[other] { $db } bases
} sur { $dbs }.
verdict-starting = Démarrage en cours

# Ce qui est attendu
wait-first-check = { $name } recevra des visiteurs après sa première vérification réussie
wait-serves = { $name } continue de répondre jusqu’à ce qu’un autre serveur web réponde
wait-opens = HAProxy mène à { $name } dès qu’elle est ouverte
wait-drains = { $name } ne reçoit plus de connexions et finit celles en cours
waits-for = { $count ->
    [one] attend { $names }
   *[other] attend l’un de { $names }
}
waits-for-another = attend qu’un autre serveur réponde, et aucun n’est en route
reason-waits-drain = { $first }, puis est mis à l’écart
reason-waits-maintenance = { $first }, puis passe en maintenance
reason-waits-remove = { $first }, puis est retiré
reason-waits-restart = { $first }, puis redémarre
reason-waits-stop = { $first }, puis s’arrête
wait-proxy-silent = { $proxy } ne répond pas
wait-requests = { $count ->
    [one] { $name } finit { $count } requête
   *[other] { $name } finit { $count } requêtes
}
wait-restart = { $count ->
    [one] nouvel essai dans { $seconds } s, après { $count } échec
   *[other] nouvel essai dans { $seconds } s, après { $count } échecs
}
wait-setback = { $count ->
    [one] { $count } échec, nouvel essai bientôt
   *[other] { $count } échecs, nouvel essai bientôt
}
wait-stop = { $name } finit ses requêtes avant de s’arrêter
wait-writer-claims = { $count ->
    [one] il manque au journal de { $name } une transaction à elle qu’une autre base détient peut-être
   *[other] il manque au journal de { $name } { $count } transactions à elle qu’une autre base détient peut-être
}
wait-writer-behind = { $count ->
    [one] { $peer } a { $count } transaction que { $writer } n’a pas encore reprise
   *[other] { $peer } a { $count } transactions que { $writer } n’a pas encore reprises
}

# Vérification des données
verify-altered = La table a été modifiée, créée ou supprimée entre-temps, ou les bases ne s’accordent pas encore à son sujet.
verify-engine = Son moteur est { $engine }. Seules les tables InnoDB peuvent être comparées pendant qu’on y écrit.
verify-key-prefix = Sa clé primaire ne contient que le début de { $column }.
verify-kind = Ce n’est pas une table ordinaire ({ $kind }).
verify-no-key = Elle n’a pas de clé primaire : rien ne distingue ses lignes entre elles.
verify-type = La colonne { $column } est de type { $kind }, que Cordée ne sait pas comparer.

# Ce qui manque à Cordée elle-même
event-journal-dropped = { $count ->
    [one] Une ligne du journal a été perdue pendant qu’il ne pouvait pas être écrit
   *[other] { $count } lignes du journal ont été perdues pendant qu’il ne pouvait pas être écrit
}
event-own-full = { $why } Les bases de données peuvent rester bloquées tant qu’il n’y a pas de place
event-own-room = Il y a de nouveau de la place sur le disque
event-own-unwritable = Le fichier d’état ne peut pas être écrit : { $why } Les demandes sont refusées et aucune autre base ne devient celle qui écrit
event-own-writable = Le fichier d’état peut de nouveau être écrit
failover-unwritable = aucune autre base ne devient celle qui écrit tant que Cordée ne peut pas l’enregistrer ({ $why })
io-damaged = Le fichier est endommagé.
io-read-only = Le système de fichiers est en lecture seule.
own-descriptors = Plus aucun fichier ne peut être ouvert : la limite de fichiers ouverts est atteinte.
own-disk-full = Le disque est plein : il reste { $free } Kio dans { $folder }.
own-disk-short = Le disque est presque plein : il reste { $free } Mio dans { $folder }.
own-lost = Il manque { $names } dans { $folder }, ou c’est illisible : ce qui tourne continue, mais le prochain démarrage de Cordée serait refusé.
own-io = Le disque signale des erreurs de lecture ou d’écriture.
own-memory = Il n’y a plus de mémoire disponible.
problem-store-unwritable = Le fichier d’état ne peut pas être écrit, donc rien n’a été fait. { $why }
verdict-and = { $first } { $then }
verdict-own-blind = Cordée ne peut pas examiner ses processus ni ses fichiers. { $why }
verdict-unwritable = Cordée ne peut pas enregistrer son état : les demandes sont refusées et aucune autre base ne devient celle qui écrit. { $why }
wait-unlooked = ce qui reste de { $name } n’a pas pu être examiné : rien n’est démarré avant de le savoir
wait-unread = le dossier de { $name } ne peut pas être lu
event-ended = Cordée s’est arrêtée ({ $how }) : son gardien l’a relancée
event-ended-code = code { $code }
event-ended-signal = signal { $signal }
event-wedged = Cordée n’a donné aucun signe de vie pendant 10 s : son gardien l’a arrêtée et relancée
cli-silent = cordee serve ne répond pas : aucun signe de vie depuis { $seconds } s. Son gardien relance au bout de 10 s un processus muet ; s’il n’y en a pas, lancez ./up. La demande peut encore être exécutée : vérifiez avec cordee status.
