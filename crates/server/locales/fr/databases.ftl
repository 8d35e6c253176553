# Qui écrit, qui suit, et ce qui arrive quand celle qui écrit est perdue.

# Refus
problem-handover = { $name } est en train de prendre les écritures : attendez que ce soit fini.
problem-not-member = { $name } ne copie pas les autres en ce moment : elle ne peut pas prendre les écritures.
problem-promote-stopped = { $name } est arrêtée : démarrez-la d’abord, et laissez-la se mettre à jour.
problem-routing-sequences = Toutes les bases ne peuvent pas encore écrire : { $why }.
problem-routing-unknown = La répartition est « one-writer » ou « all-writers ».
problem-writer = { $name } reçoit les écritures : promouvez d’abord { $candidate }, puis arrêtez ou redémarrez { $name }.
problem-writer-already = { $name } reçoit déjà les écritures.

# Ce qui a été demandé, ce qui a été décidé
event-all-writers = Toutes les bases reçoivent des écritures à partir de maintenant
event-elected = { $name } reçoit maintenant les écritures, à la place de celle qui a été perdue (époque { $epoch })
event-gap = { $name } reçoit les écritures ; personne n’a pu écrire pendant au plus { $ms } ms
event-handed-over = { $name } reçoit maintenant les écritures (époque { $epoch })
event-one-writer = Une seule base reçoit les écritures à partir de maintenant
event-promote = { $name } doit prendre les écritures
event-promote-abandoned = { $name } n’a pas pris les écritures : { $why }
event-promote-loss = { $name } doit prendre les écritures, même si des écritures sont perdues
event-readmitted = { $name } détient ce que les autres détiennent, d’après son journal : elle suit de nouveau, et ses lignes sont comparées
event-setting = { $name } : { $setting } valait { $was } ; sa valeur est de nouveau { $value }
event-numbers-apart = { $name } numérote les nouvelles lignes par pas de { $step } depuis la place { $place } (avant : { $was }) ; les connexions qui existaient ont pris fin
event-numbers-dense = { $name } numérote les nouvelles lignes l’une après l’autre (avant : { $was })
event-events-away = { $name } : { $count ->
    [one] un événement planifié s’exécute
   *[other] { $count } événements planifiés s’exécutent
} désormais ailleurs
event-events-on = { $name } : { $count ->
    [one] un événement planifié s’y exécute
   *[other] { $count } événements planifiés s’y exécutent
} désormais
event-zones = { $name } connaît par leur nom les fuseaux horaires de cette machine
event-link-reset = { $name } : la liaison depuis { $from } avait été modifiée ({ $was }) ; elle est refaite
event-renumbered = Quelqu’un a remis à zéro le journal de { $name } (RESET MASTER) ; sa numérotation reprend après { $after }
event-accounts = { $name } : quelqu’un a modifié le compte { $what } ; il est de nouveau comme avant
event-doubted = Quelqu’un a remis à zéro le journal de { $by } : il peut manquer à { $name } ce que { $by } a écrit avant la reprise de sa numérotation ; ses lignes sont comparées
event-links-freed = { $name } : ses liaisons attendaient une liaison disparue (un défaut de MariaDB) ; elles reprennent
event-set-back = La position de { $name } annonçait des transactions absentes de son journal : elle a été ramenée au journal
decision-not-stored = la décision n’a pas pu être enregistrée
decision-refused = une autre décision est passée avant

# La base qui écrit est perdue
failover-applying = { $name } applique ce qu’elle a reçu : encore { $count }
failover-asking = on demande aux bases qui copiaient { $name } ce qu’elles ont reçu
failover-behind = { $count ->
    [one] une écriture de { $name }, peut-être confirmée, n’est sur aucune autre base
   *[other] { $count } écritures de { $name }, peut-être confirmées, ne sont sur aucune autre base
}
failover-cannot-apply = la base qui a reçu les dernières écritures de { $name } ne peut pas les appliquer
failover-cut-off = { $name } se tait et vit peut-être encore : c’est à une personne de décider (promouvoir une autre base, en acceptant une perte)
failover-no-promise = aucune autre base n’a de façon certaine toutes les écritures que { $name } a confirmées
failover-standby-away = { $name } a peut-être les dernières écritures confirmées, et ne répond pas
reason-writer-gone = { $why } ; { $and }

# Changement prévu
handover-away = { $name } ne répond pas
handover-catching-up = { $name } se met à jour : encore { $count }
handover-late = { $name } n’était pas prête après 10 s
handover-link = { $name } ne reçoit plus rien de { $from }
handover-proxy = HAProxy est prié de n’envoyer personne aux bases

# Pas encore ouverte
wait-catching-up = { $count ->
    [one] il manque encore { $count } transaction de { $peer } à { $name }
   *[other] il manque encore { $count } transactions de { $peer } à { $name }
}
wait-fetching-own = { $count ->
    [one] { $name } récupère une transaction à elle qu’un arrêt brutal lui avait reprise
   *[other] { $name } récupère { $count } transactions à elle qu’un arrêt brutal lui avait reprises
}
wait-numbers = avant l’ouverture de { $name }, les nouvelles lignes de { $peer } reçoivent des numéros qu’aucune autre base ne donne
wait-near = { $name } n’est pas encore assez près de { $peer }

# État
status-blocked = Écritures bloquées
reason-blocked = les écritures sont refusées ou attendent un verrou
status-diverged = Divergente
reason-diverged = { $count ->
    [one] une transaction qu’aucune autre base n’a est enregistrée dans { $file }
   *[other] { $count } transactions qu’aucune autre base n’a sont enregistrées dans { $file }
}
reason-diverged-lacks = il lui manque des transactions à elle que les autres détiennent, ou elle en a gardé qui leur manquent
status-log-reset = Journal remis à zéro
reason-log-reset = { $count ->
    [one] il manque à son journal une transaction à elle qui lui était revenue : quelqu’un a remis le journal à zéro ou en a replacé un ancien. Faites-la recopier
   *[other] il manque à son journal { $count } transactions à elle qui lui étaient revenues : quelqu’un a remis le journal à zéro ou en a replacé un ancien. Faites-la recopier
}
reason-log-reset-writer = { $count ->
    [one] quelqu’un a remis son journal à zéro ; sa numérotation reprend après le dernier numéro que les autres connaissent
   *[other] quelqu’un a remis son journal à zéro ({ $count } transactions) ; sa numérotation reprend après le dernier numéro que les autres connaissent
}
status-altered = Modifiée
reason-setting = { $name } vaut { $was } et devrait valoir { $value }. { $remedy }
reason-account-lacks = le compte { $what } n’est pas comme il le faut au groupe, et n’a pas pu être rétabli
reason-account-passes = le compte { $name } peut écrire dans une base fermée ({ $right }). Exécutez-y : REVOKE { $right } ON *.* FROM { $name }@127.0.0.1
failover-doubted = il peut manquer à { $name } des écritures confirmées : ses lignes doivent d’abord être comparées ou recopiées
status-may-lack = Lignes incertaines
reason-may-lack = { $count ->
    [one] il peut lui manquer des lignes, et une table n’a pas pu être comparée. Faites-la recopier
   *[other] il peut lui manquer des lignes, et { $count } tables n’ont pas pu être comparées. Faites-la recopier
}
status-comparing = En comparaison
reason-doubted = il peut lui manquer des lignes : elles sont comparées avec celles de la base qui écrit avant qu’elle compte comme synchronisée
status-full = Trop de connexions
reason-too-many = { $count ->
    [one] { $count } connexion sur { $most } est prise
   *[other] { $count } connexions sur { $most } sont prises
}
status-handing-over = Passe la main
reason-handing-over = { $name } prend les écritures
status-returning = Revient
reason-returning = le contenu de son journal est comparé avec ce que les autres détiennent d’elle
status-unprotected = Sans copie confirmée
reason-no-promise = si elle tombe maintenant, ses dernières écritures peuvent être perdues : aucune autre base ne confirme les avoir reçues
reason-promise-soon = aucune autre base ne confirme encore ses écritures ; cela prend quelques secondes

# Une base rejoint le groupe, le quitte, est recopiée
copy-cancelled = la copie a été annulée
copy-failed = la copie a échoué, et aucun programme n’a dit pourquoi (log/copy.log)
copy-failed-said = la copie a échoué : « { $said } »
copy-float = les valeurs exactes de { $table } (FLOAT, ENUM) n’ont pas pu être écrites : elle a été modifiée entre-temps, ou cela a duré trop longtemps
copy-float-refused = les valeurs exactes de { $table } (FLOAT, ENUM) n’ont pas été acceptées (erreur { $code })
copy-view-failed = la vue cassée { $view } n’a pas pu y être créée ; recréez-la sur la base qui écrit, ou supprimez-la. { $why }
numbers-connections = { $count ->
    [one] une connexion n’a pas pris fin : elle pourrait donner un numéro qu’une autre base donne aussi
   *[other] { $count } connexions n’ont pas pris fin : elles pourraient donner des numéros qu’une autre base donne aussi
}
zones-unread = les fuseaux horaires de cette machine n’ont pas pu être lus (mariadb-tzinfo-to-sql { $folder })
position-not-kept = la position réglée n’est pas celle que la base affiche ; elle est réglée de nouveau
copy-no-position = la copie ne dit pas où elle s’arrête
copy-no-space = il faut { $need } Mio sur le disque, { $free } Mio sont libres
event-admitted = { $name } a été comparée avec la base qui écrit : elle fait maintenant partie du groupe
event-expelled-lacks = { $count ->
    [one] il manque à { $name } une transaction à elle que les autres détiennent, et elle ne la récupère pas : elle est recopiée
   *[other] il manque à { $name } { $count } transactions à elle que les autres détiennent, et elle ne les récupère pas : elle est recopiée
}
event-expelled = { $name } a gardé des transactions qu’aucune autre base n’a : elle reste à l’écart, et sera recopiée
event-forgotten = { $name } est partie ; les autres ont tout ce qu’elle a écrit
event-joins = Ajout de { $name } : elle reçoit d’abord une copie
event-leaves = Retrait de { $name }
event-recopy = { $name } reçoit une nouvelle copie ; ses anciennes données vont à la corbeille
event-saved = { $count ->
    [one] une transaction du journal de { $name } n’a été reçue par aucune autre base : elle est enregistrée dans { $file }
   *[other] { $count } transactions du journal de { $name } n’ont été reçues par aucune autre base : elles sont enregistrées dans { $file }
}
event-saved-nothing = Le journal de { $name } ne contient rien qui manque aux autres
problem-join-donor = Aucune base ne peut être copiée pour l’instant : il en faut une qui marche sans erreur.
problem-join-program = Le programme mariabackup manque : installez le paquet mariadb-backup.
problem-last-database = { $name } est la seule base : elle ne peut pas être retirée.
problem-leaving = { $name } est déjà en train de partir.
problem-copying = { $name } est déjà en cours de recopie : la copie continue, et cordee status montre où elle en est.
problem-joining = { $name } est en train d’arriver : arrêtée maintenant, sa copie recommencerait de zéro. Elle peut être retirée.
problem-recopy-writer = { $name } reçoit les écritures : c’est d’elle que les autres sont copiées.
problem-slots = Il y a déjà { $count } bases, et il ne peut pas y en avoir plus.
problem-verify-writer = { $name } reçoit les écritures : c’est à elle que les autres sont comparées.
problem-writer-leaves = { $name } reçoit les écritures : promouvez d’abord { $candidate }, puis retirez { $name }.
reason-catching-up = elle rattrape les autres
reason-comparing = ses lignes sont en cours de comparaison : { $rows } jusqu’ici
reason-copy-differs = { $count ->
    [one] une table de la copie diffère de celle de la base qui écrit : faites-la recopier. Une base qui se révèle différente elle aussi n’est pas copiée
   *[other] { $count } tables de la copie diffèrent de celles de la base qui écrit : faites-la recopier. Une base qui se révèle différente elle aussi n’est pas copiée
}
reason-copy-begins = la copie de { $donor } commence
reason-copying-again = { $why } ; nouvel essai : { $how }
reason-copying = { $percent } % de { $donor }, encore { $seconds } s environ
status-copy-failed = Échec de la copie
status-copying = Copie
status-leaving = Quitte le groupe
verify-asked = Les lignes de { $name } sont en cours de comparaison avec celles de la base qui écrit
wait-copy-differs = { $name } ne détient pas ce que détient la base qui écrit : { $count ->
    [one] { $count } table diffère
   *[other] { $count } tables diffèrent
}
wait-donor = aucune base ne peut être copiée pour { $name } pour l’instant
wait-leaving = il manque encore à { $peer } des écritures de { $name }

# Les données elles-mêmes
event-rows-differ = { $count ->
    [one] { $name } : { $table } ne contient pas ce que contient la base qui écrit
   *[other] { $name } : { $count } tables ne contiennent pas ce que contient la base qui écrit, d’abord { $table }
}
event-rows-equal = { $name } : { $rows ->
    [one] { $rows } ligne
   *[other] { $rows } lignes
} de { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
}, aucune différence avec la base qui écrit
reason-delay-unproven = { $ms } ms de retard ; ses lignes n’ont pas encore été comparées
reason-rows-differ = { $count ->
    [one] { $table } ne contient pas ce que contient la base qui écrit
   *[other] { $count } tables ne contiennent pas ce que contient la base qui écrit, d’abord { $table }
}
status-rows-differ = Données différentes
wait-received = { $peer } cesse d’abord de recevoir de { $name }
wait-other-open = { $name } recevait des écritures la dernière fois qu’elle a répondu
verdict-handover = Les écritures changent de base
verdict-handover-reason = { $name } prend les écritures ; d’ici là, aucune base ne sert.

# Questions sur qui écrit
ask-all = Laisser toutes les bases écrire
ask-all-fact = { $at } mène à { $names }, à tour de rôle.
ask-all-lose = Quand deux visiteurs modifient la même ligne à moins de { $ms } ms d’écart (le retard entre les bases, mesuré maintenant), l’une des deux modifications peut être perdue, sans erreur.
ask-all-more = Les connexions qui durent plus d’une seconde sont coupées une fois, pour que chaque base donne des numéros à elle : les nouvelles lignes n’entrent jamais en conflit de ce fait. Une ligne ainsi modifiée deux fois peut ensuite différer d’une base à l’autre jusqu’à sa modification suivante. La même valeur des deux côtés dans une colonne unique, ou une ligne supprimée ici et modifiée là, arrête la copie sur une erreur. Et une table dont les colonnes changent pendant qu’une autre base y écrit reçoit des valeurs dans les mauvaises colonnes, sans erreur : « site_owner » ne peut donc ni modifier, ni vider, ni supprimer de table avant qu’une seule base écrive de nouveau.
ask-all-unmeasured = Quand deux visiteurs modifient la même ligne dans le temps du retard entre les bases (non mesuré en ce moment), l’une des deux modifications peut être perdue, sans erreur.
ask-alone = { $name } reçoit les écritures.
ask-back-all = « une seule base écrit », au même endroit. Ce qui a été perdu entre-temps ne revient pas.
ask-back-one = « toutes écrivent », au même endroit.
ask-back-promote = Le même bouton, dans la ligne de { $name }.
ask-back-promote-loss = Le même bouton dans la ligne de { $name }, quand elle suivra de nouveau. Si elle détient ce qui manque aux autres, elle reste à l’écart.
ask-db-also = { $sessions ->
    [one] { $name } reçoit aussi des écritures : sa connexion ({ $sessions }) est coupée, et ce qu’elle écrivait échoue. Le site continue avec { $writer }.
   *[other] { $name } reçoit aussi des écritures : ses { $sessions } connexions sont coupées, et ce qu’elles écrivaient échoue. Le site continue avec { $writer }.
}
ask-know-loss = Je sais que les écritures que { $name } est seule à détenir vont manquer ; elles sont gardées dans un fichier à son retour.
ask-know-loss-all = Je sais que les écritures que { $name } est seule à détenir manquent jusqu’à son retour.
ask-nobody = { $name } doit recevoir les écritures, et ne le fait pas.
ask-one = Ne laisser écrire qu’une base
ask-one-cut = Les connexions à { $names } sont coupées, et ce qu’elles écrivaient échoue. Ensuite, tout passe par { $writer }.
ask-one-fact = { $at } mène à { $name } seulement.
ask-one-more = Ce qui a été confirmé reste, et se copie comme avant.
ask-promote = Promouvoir { $name }
ask-promote-gap = Les écritures attendent ou échouent pendant le changement : au plus { $time } la dernière fois. Les lectures aussi, car aucune base ne sert pendant ce temps.
ask-promote-loss = { $old } ne peut pas passer la main : tant que { $name } n’écrit pas, les pages qui ont besoin de la base échouent. Ensuite, les écritures que { $old } est seule à détenir manquent.
ask-promote-loss-all = Au retour de { $name }, les autres copient ce qu’elle était seule à détenir.
ask-promote-loss-more = Cordée ne le fait pas d’elle-même, car aucune autre base n’a de façon certaine toutes les écritures que { $name } a confirmées. Au retour de { $name }, ce qu’elle est seule à détenir est enregistré dans un fichier sous lost/, dans le dossier de Cordée, et { $name } reste à l’écart.
ask-promote-loss-open = { $old } ne peut pas passer la main : tant que { $name } n’a pas pris sa place, ce qui va à la seule base qui écrit échoue ; les autres bases ouvertes continuent. Les écritures que { $old } est seule à détenir manquent jusqu’à son retour.
ask-promote-more = { $old } est fermée et ses connexions sont coupées ; { $name } se met à jour, puis elle est ouverte. Aucune écriture confirmée n’est perdue. Si cela dure plus de { $seconds } s, { $old } continue à sa place.
ask-promote-stopped = { $name } a été arrêtée sur demande : la redémarrer ne perd rien. Si vous continuez quand même, ce qu’elle est seule à détenir est enregistré à son retour dans un fichier sous lost/, dans le dossier de Cordée, et { $name } reste à l’écart.
ask-promote-wait = Les écritures attendent ou échouent pendant le changement ; sa durée n’a pas encore été mesurée ici. Les lectures aussi, car aucune base ne sert pendant ce temps.
ask-roles = { $writer } reçoit les écritures, { $standby } suit.
ask-roles-all = { $writer } reçoit les écritures, { $standby } écrit aussi.
ask-sequences = Pas avant
ask-sole = Dans les deux cas
ask-unique = Clés uniques
ask-unique-fact = { $count ->
    [0] Aucune table n’en a d’autre que sa clé primaire.
    [one] Une table en a une autre que sa clé primaire : la même valeur donnée sur deux bases arrête la copie.
   *[other] { $count } tables en ont une autre que leur clé primaire : la même valeur donnée sur deux bases arrête la copie.
}
ask-sole-fact = { $at } mène à la seule { $name } : pour les sessions, et pour tout ce qui ne doit perdre aucune modification.
problem-confirm-loss = Cochez la case : sans elle, on ne renonce à rien de ce qui pourrait manquer.
event-closed-writer = { $name } est fermée : une autre base prend ses écritures
status-closing = Se ferme aux écritures
reason-unreached = HAProxy ne l’atteint pas, les applications non plus : { $why }
status-unreached = Hors d’atteinte

# Remettre des lignes en ordre
event-repaired = { $rows ->
    [0] { $name } : une ligne a été écrasée par celle de la base qui écrit ; ce qui y était est dans { $file }
    [one] { $name } : une ligne a été remise en ordre ; ce que chaque côté avait est dans { $file }
   *[other] { $name } : { $rows } lignes ont été remises en ordre ; ce que chaque côté avait est dans { $file }
}
event-repaired-nothing = { $name } : aucune ligne n’avait besoin d’être remise en ordre
problem-side = Prenez les lignes de « writer » (la base qui écrit) ou de « this » (celle-ci).
repair-asked = Les lignes de { $name } sont en cours de remise en ordre
repair-not-saved = ce que chaque côté avait n’a pas pu être enregistré : rien n’a été changé
repair-stuck = elle ne peut pas dépasser ce qu’elle a reçu de { $from } (erreur { $code }) : recopiez-la
repair-unknown-row = on ne peut pas dire quelle ligne de { $table } gêne, donc rien n’a été écrasé : recopiez la base
repair-writer-only = tant que sa copie est arrêtée, seules les lignes de la base qui écrit peuvent être prises : prenez-les, puis changez de nouveau la ligne
repair-triggers = { $table } a des déclencheurs, qui agiraient sur ce qui est remis en ordre : recopiez plutôt la base

# Une personne ajoute une base, en retire une, en compare une, en fait recopier une
ask-back-cancel = L’ajouter de nouveau : tout recommence, sous un autre identifiant.
ask-back-recopy = Aucun : les anciennes données restent à la corbeille jusqu’à « Nettoyer la configuration ».
ask-back-remove-db = « Ajouter une base » : une nouvelle { $name } reçoit une nouvelle copie et un autre identifiant.
ask-cancel = Renoncer à ajouter { $name }
ask-cancel-lead = Les visiteurs ne remarquent rien : personne n’est encore envoyé vers { $name }, et aucune base ne la copie.
ask-cancel-more = Rien d’elle ne reste en service : elle est arrêtée, ce qui a été copié va à la corbeille, et son identifiant ne resservira jamais.
ask-db-leaving = Le site continue avec { $writer } : plus personne n’est envoyé vers cette base.
ask-db-leaving-more = { $name } est en train de partir, et les autres vont encore chercher ce qu’elle a écrit. Arrêtée, elle disparaît aussitôt, et ce qui leur manque reste dans son dossier, à la corbeille.
ask-kept = { $count ->
    [0] Aucune base n’est en place{ $names }
    [one] { $count } base détient les données : { $names }
   *[other] { $count } bases détiennent les données : { $names }
}
ask-leave = Le site continue avec { $writer } : les visiteurs ne remarquent rien.
ask-leave-also = { $sessions ->
    [one] { $name } reçoit aussi des écritures : sa connexion ({ $sessions }) est coupée, et ce qu’elle écrivait échoue. Le site continue avec { $writer }.
   *[other] { $name } reçoit aussi des écritures : ses { $sessions } connexions sont coupées, et ce qu’elles écrivaient échoue. Le site continue avec { $writer }.
}
ask-leave-also-last = { $sessions ->
    [one] { $name } reçoit aussi des écritures : sa connexion ({ $sessions }) est coupée, et ce qu’elle écrivait échoue. Le site continue avec { $writer } seule : si elle est perdue, aucune autre ne peut prendre le relais.
   *[other] { $name } reçoit aussi des écritures : ses { $sessions } connexions sont coupées, et ce qu’elles écrivaient échoue. Le site continue avec { $writer } seule : si elle est perdue, aucune autre ne peut prendre le relais.
}
ask-leave-last = Le site continue avec { $writer } seule : les visiteurs ne remarquent rien, mais si { $writer } est perdue sans { $name }, aucune autre ne peut prendre le relais.
ask-meanwhile = Entre-temps
ask-recopy = Recopier { $name }
ask-recopy-more = Les données de { $name } vont à la corbeille ; elle reçoit une nouvelle copie et un nouvel identifiant. Tant qu’elle n’a pas rattrapé les autres et que ses lignes n’ont pas été comparées, personne ne la copie, et elle ne peut pas prendre le relais.
ask-remove-db = { $name } est fermée et les autres vont chercher tout ce qu’elle a écrit ; ensuite ses liens et son entrée dans HAProxy disparaissent. Son dossier va à la corbeille, que seul « Nettoyer la configuration » vide. Son identifiant ne resservira jamais.
ask-remove-out = { $name } est déjà à l’écart : elle est arrêtée, ses liens et son entrée dans HAProxy disparaissent. Ce qu’elle est seule à détenir va à la corbeille avec son dossier ; ce qui a été enregistré sous lost/ reste. Son identifiant ne resservira jamais.
copy-progress = Copié jusqu’ici
held-writer = { $name } reçoit les écritures : promouvez d’abord { $candidate }, puis arrêtez, redémarrez ou retirez { $name }.
join-button = Ajouter la base
join-cannot = Aucune base ne peut être ajoutée pour l’instant.
join-from = Copiée de
join-from-standby = { $name }, base de secours : celle qui reçoit les écritures est épargnée
join-from-writer = { $name }, qui continue de recevoir les écritures
join-here = Nouvelle base sur cette machine
join-much = À copier
join-nothing = Rien n’a été écrit.
join-nothing-yet = Rien n’est encore écrit.
join-open = Ajouter une base
join-place = { $slot } sur { $slots } pour les numéros automatiques, identifiant { $id }, jamais utilisé
join-port-help = Vide : un port libre.
join-size = { $tables ->
    [one] { $mib } Mio, { $tables } table du site
   *[other] { $mib } Mio, { $tables } tables du site
}
join-step-admit = C’est seulement si elles sont égales que les autres la copient aussi : elle est alors en secours.
join-step-catch-up = Elle démarre fermée aux écritures, et va chercher ce qui a été écrit entre-temps.
join-step-compare = Ses lignes sont comparées avec celles de { $writer }, table par table.
join-step-copy = { $name } est copiée pendant qu’elle sert. Le site continue.
join-step-proxy = HAProxy db l’accueille ; elle ne reçoit de connexions que si elle reçoit des écritures.
join-title = Ajouter une base
join-wait = Les bases sont en cours d’examen…
join-what = Ce qui va se passer.
join-where = Place
problem-verify = Les lignes de { $name } ne peuvent être comparées que si elle suit celle qui reçoit les écritures, et que les deux marchent.
cli-help-repair = Remettre en ordre les lignes où une base diffère de celle qui écrit, et lui faire dépasser un conflit ; ce que les deux avaient reste dans un fichier
cli-help-take = « writer » : les lignes de la base qui écrit sont les bonnes ; « this » : celles de cette base
problem-repair = Il n’y a rien à remettre en ordre sur { $name } maintenant.
repair-help = Ligne par ligne, les valeurs d’un côté sont écrites sur l’autre, pendant que le site continue. Ce que les deux côtés avaient est d’abord gardé dans un fichier sous lost/.
repair-help-stuck = Sa copie est arrêtée sur un conflit : d’ici à ce qu’il soit levé, seules les lignes de la base qui écrit peuvent être prises.
repair-this = Prendre les lignes de cette base
repair-title = Remettre en ordre ce qui diffère
repair-writer = Prendre les lignes de la base qui écrit
event-rows-left-out = { $said } ; { $why }
event-rows-equal-of = { $name } : { $tables ->
    [one] { $count } table sur { $tables } comparée
   *[other] { $count } tables sur { $tables } comparées
} avec celles de la base qui écrit ({ $rows ->
    [one] { $rows } ligne
   *[other] { $rows } lignes
}), aucune différence
reason-rows-unproven = { $count ->
    [one] { $count } table sur { $tables } comparée
   *[other] { $count } tables sur { $tables } comparées
}, aucune différence ; { $why }
rows-left-out = { $count ->
    [one] une table n’a pas pu l’être : { $names } ({ $why })
   *[other] { $count } tables n’ont pas pu l’être : { $names }{ $more ->
        [0] {""}
        [one] {" "}et une autre
       *[other] {" "}et { $more } autres
    } ({ $first } : { $why })
}
status-rows-unproven = Vérifiée en partie
status-sequences = Séquences en conflit
status-keyless = Tables sans clé
status-schemaless = Tables manquantes
status-memory = Tables en mémoire
tables-sequences = { $count ->
    [one] la séquence { $names } donne les mêmes numéros sur chaque base (ALTER SEQUENCE { $names } INCREMENT 0 ; vérifié toutes les 30 s)
   *[other] { $count } séquences donnent les mêmes numéros sur chaque base : { $names }{ $more ->
        [0] {""}
        [one] {" "}et une autre
       *[other] {" "}et { $more } autres
    } (ALTER SEQUENCE … INCREMENT 0 ; vérifié toutes les 30 s)
}
tables-keyless = { $count ->
    [one] { $names } n’a pas de clé primaire : ses lignes ne peuvent être ni comparées ni réparées
   *[other] { $count } tables n’ont pas de clé primaire : { $names }{ $more ->
        [0] {""}
        [one] {" "}et une autre
       *[other] {" "}et { $more } autres
    }. Leurs lignes ne peuvent être ni comparées ni réparées
}
tables-memory = { $count ->
    [one] { $names } est en mémoire (ENGINE=MEMORY) : une base qui redémarre en a perdu les lignes, et une copie n’en a aucune
   *[other] { $count } tables sont en mémoire (ENGINE=MEMORY) : { $names }{ $more ->
        [0] {""}
        [one] {" "}et une autre
       *[other] {" "}et { $more } autres
    }. Une base qui redémarre en a perdu les lignes, et une copie n’en a aucune
}
wait-unsettled = { $count ->
    [one] une table de { $name } n’a pas encore pu être comparée : elle l’est de nouveau
   *[other] { $count } tables de { $name } n’ont pas encore pu être comparées : elles le sont de nouveau
}
join-besides = À savoir
