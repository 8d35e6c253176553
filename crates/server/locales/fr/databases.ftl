# Qui écrit, qui suit, et ce qui arrive quand celle qui écrit est perdue.

# Refus
problem-epoch = Une autre décision sur la base qui écrit a été prise entre-temps : rien n’a été fait.
problem-handover = { $name } est en train de prendre les écritures : attendez que ce soit fini.
problem-not-member = { $name } ne copie pas les autres en ce moment : elle ne peut pas prendre les écritures.
problem-promote-stopped = { $name } est arrêtée : démarrez-la d’abord, et laissez-la se mettre à jour.
problem-routing-unknown = La répartition est « one-writer » ou « all-writers ».
problem-writer = { $name } reçoit les écritures : confiez-les d’abord à { $heir }, puis arrêtez ou redémarrez { $name }.
problem-writer-already = { $name } reçoit déjà les écritures.

# Ce qui a été demandé, ce qui a été décidé
event-all-writers = Toutes les bases reçoivent des écritures à partir de maintenant
event-elected = { $name } reçoit maintenant les écritures, à la place de celle qui a été perdue (époque { $epoch })
event-gap = { $name } reçoit les écritures ; personne n’a pu écrire pendant { $ms } ms
event-handed-over = { $name } reçoit maintenant les écritures (époque { $epoch })
event-one-writer = Une seule base reçoit les écritures à partir de maintenant
event-promote = { $name } doit prendre les écritures
event-promote-abandoned = { $name } n’a pas pris les écritures : { $why }
event-promote-loss = { $name } doit prendre les écritures, même si des écritures sont perdues
event-readmitted = { $name } ne détient rien qui manque aux autres : elle suit de nouveau
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
failover-cut-off = { $name } se tait et vit peut-être encore : c’est à une personne de décider (confier les écritures à une autre, en acceptant une perte)
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
wait-catching-up = il manque encore { $count } transactions de { $peer } à { $name }
wait-near = { $name } n’est pas encore assez près de { $peer }

# État
status-blocked = N’écrit plus
reason-blocked = les écritures sont refusées ou attendent un verrou
status-diverged = Divergente
reason-diverged = { $count ->
    [one] une transaction qu’aucune autre base n’a est enregistrée dans { $file }
   *[other] { $count } transactions qu’aucune autre base n’a sont enregistrées dans { $file }
}
status-full = Trop de connexions
reason-too-many = { $count } connexions sur { $most } sont prises
status-handing-over = Passe la main
reason-handing-over = { $name } prend les écritures
status-returning = Revient
reason-returning = ce qu’elle détient est comparé avec celle qui écrit
status-unprotected = À découvert
reason-no-promise = si elle tombe maintenant, ses dernières écritures peuvent être perdues : aucune autre base ne confirme les avoir reçues

# Une base rejoint le groupe, le quitte, est recopiée
copy-cancelled = la copie a été annulée
copy-failed = la copie a échoué ; son journal dit pourquoi (log/copy.log)
copy-no-position = la copie ne dit pas où elle s’arrête
copy-no-space = il faut { $need } Mio sur le disque, { $free } Mio sont libres
event-admitted = { $name } détient ce que les autres détiennent : elle fait maintenant partie du groupe
event-expelled = { $name } a gardé des transactions qu’aucune autre base n’a : elle reste à l’écart, et sera recopiée
event-forgotten = { $name } est partie ; les autres ont tout ce qu’elle a écrit
event-recopy = { $name } reçoit une nouvelle copie ; ses anciennes données vont à la corbeille
event-saved = { $count ->
    [one] une transaction du journal de { $name } n’a été reçue par aucune autre base : elle est enregistrée dans { $file }
   *[other] { $count } transactions du journal de { $name } n’ont été reçues par aucune autre base : elles sont enregistrées dans { $file }
}
event-saved-nothing = le journal de { $name } ne contient rien qui manque aux autres
problem-db-external = Dans cette version, une base ne rejoint le groupe que sur cette machine : cochez « en démarrer une nouvelle ».
problem-join-donor = Aucune base ne peut être copiée pour l’instant : il en faut une qui marche sans erreur.
problem-join-no-key = { $count ->
    [one] { $names } n’a pas de clé primaire : ses lignes ne pourraient être ni vérifiées ni réparées. Donnez-lui-en une d’abord (ALTER TABLE … ADD PRIMARY KEY).
   *[other] { $count } tables n’ont pas de clé primaire ({ $names }…) : leurs lignes ne pourraient être ni vérifiées ni réparées. Donnez-leur-en une d’abord (ALTER TABLE … ADD PRIMARY KEY).
}
problem-join-program = Le programme mariabackup manque : installez le paquet mariadb-backup.
problem-last-database = { $name } est la seule base : elle ne peut pas être retirée.
problem-leaving = { $name } est déjà en train de partir.
problem-recopy-writer = { $name } reçoit les écritures : c’est d’elle que les autres sont copiées.
problem-slots = Il y a déjà { $count } bases, et il ne peut pas y en avoir plus.
problem-verify-writer = { $name } reçoit les écritures : c’est à elle que les autres sont comparées.
problem-writer-leaves = { $name } reçoit les écritures : confiez-les d’abord à { $heir }, puis retirez { $name }.
reason-catching-up = elle rattrape les autres
reason-comparing = ses lignes sont en cours de comparaison : { $rows } jusqu’ici
reason-copy-differs = { $count ->
    [one] une table de la copie n’est pas égale à celle de la base qui écrit : retirez-la et ajoutez-la de nouveau
   *[other] { $count } tables de la copie ne sont pas égales à celles de la base qui écrit : retirez-la et ajoutez-la de nouveau
}
reason-copy-begins = la copie de { $donor } commence
reason-copying = { $percent } % de { $donor }, encore { $seconds } s environ
status-copy-failed = Copie échouée
status-copying = Copie
status-leaving = Quitte le groupe
verify-asked = Les lignes de { $name } sont en cours de comparaison avec celles de la base qui écrit
wait-copy-differs = { $name } ne détient pas ce que détient la base qui écrit : { $count } tables diffèrent
wait-donor = aucune base ne peut être copiée pour { $name } pour l’instant
wait-leaving = il manque encore à { $peer } des écritures de { $name }

# Les données elles-mêmes
event-rows-differ = { $count ->
    [one] { $name } : une table sur { $tables } ne contient pas ce que contient la base qui écrit
   *[other] { $name } : { $count } tables sur { $tables } ne contiennent pas ce que contient la base qui écrit
}
event-rows-equal = { $tables ->
    [one] { $name } : { $rows } lignes d’une table comparées avec celles de la base qui écrit, aucune différence
   *[other] { $name } : { $rows } lignes de { $tables } tables comparées avec celles de la base qui écrit, aucune différence
}
reason-delay-unproven = { $ms } ms de retard ; ses lignes n’ont pas encore été comparées
reason-rows-differ = { $count ->
    [one] { $table } ne contient pas ce que contient la base qui écrit
   *[other] { $count } tables ne contiennent pas ce que contient la base qui écrit, d’abord { $table }
}
status-rows-differ = Données différentes
wait-other-open = { $name } recevait des écritures la dernière fois qu’elle a répondu
verdict-handover = Les écritures changent de base
verdict-handover-reason = { $name } prend les écritures ; d’ici là, aucune base ne sert.

# Questions sur qui écrit
ask-all = Laisser toutes les bases écrire
ask-all-fact = { $at } mène à { $names }, à tour de rôle.
ask-all-lose = Quand deux visiteurs modifient la même ligne à moins de { $ms } ms d’écart (le retard entre les bases, mesuré maintenant), l’une des deux modifications peut être perdue, sans erreur.
ask-all-more = Le passage lui-même ne coupe personne. Une ligne ainsi modifiée deux fois peut ensuite différer d’une base à l’autre jusqu’à sa modification suivante. Les nouvelles lignes ne se gênent jamais par leurs numéros automatiques : chaque base donne les siens. Mais la même valeur des deux côtés dans une colonne unique, ou une ligne supprimée ici et modifiée là, arrête la copie sur une erreur.
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
ask-promote = Confier les écritures à { $name }
ask-promote-gap = Les écritures attendent ou échouent pendant le changement : { $time } la dernière fois. Les lectures aussi, car aucune base ne sert pendant ce temps.
ask-promote-loss = { $old } ne peut pas passer la main : tant que { $name } n’écrit pas, les pages qui ont besoin de la base échouent. Ensuite, les écritures que { $old } est seule à détenir manquent.
ask-promote-loss-all = Au retour de { $name }, les autres copient ce qu’elle était seule à détenir.
ask-promote-loss-more = Cordée ne le fait pas d’elle-même, car aucune autre base n’a de façon certaine toutes les écritures que { $name } a confirmées. Au retour de { $name }, ce qu’elle est seule à détenir est enregistré dans un fichier sous lost/, dans le dossier de Cordée, et { $name } reste à l’écart.
ask-promote-loss-open = { $old } ne peut pas passer la main : tant que { $name } n’a pas pris sa place, ce qui va à la seule base qui écrit échoue ; les autres bases ouvertes continuent. Les écritures que { $old } est seule à détenir manquent jusqu’à son retour.
ask-promote-more = { $old } est fermée et ses connexions sont coupées ; { $name } se met à jour, puis elle est ouverte. Aucune écriture confirmée n’est perdue. Si cela dure plus de { $seconds } s, { $old } continue à sa place.
ask-promote-stopped = { $name } a été arrêtée sur demande : la redémarrer ne perd rien. Si vous continuez quand même, ce qu’elle est seule à détenir est enregistré à son retour dans un fichier sous lost/, dans le dossier de Cordée, et { $name } reste à l’écart.
ask-promote-wait = Les écritures attendent ou échouent pendant le changement ; sa durée n’a pas encore été mesurée ici. Les lectures aussi, car aucune base ne sert pendant ce temps.
ask-roles = { $writer } reçoit les écritures, { $standby } suit.
ask-roles-all = { $writer } reçoit les écritures, { $standby } écrit aussi.
ask-sole = Dans les deux cas
ask-sole-fact = { $at } mène à la seule { $name } : pour les sessions, et pour tout ce qui ne doit perdre aucune modification.
problem-confirm-loss = Cochez la case : sans elle, on ne renonce à rien de ce qui pourrait manquer.
event-closed-writer = { $name } est fermée : une autre base prend ses écritures
status-closing = Se ferme aux écritures
reason-unreached = HAProxy ne l’atteint pas, les applications non plus : { $why }
status-unreached = Hors d’atteinte
