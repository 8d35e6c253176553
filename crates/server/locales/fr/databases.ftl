# Qui écrit, qui suit, et ce qui arrive quand celle qui écrit est perdue.

# Refus
problem-epoch = Une autre décision sur la base qui écrit a été prise entre-temps : rien n’a été fait.
problem-handover = { $name } est en train de prendre les écritures : attendez que ce soit fini.
problem-not-member = { $name } ne copie pas les autres en ce moment : elle ne peut pas prendre les écritures.
problem-promote-stopped = { $name } est arrêtée : démarrez-la d’abord, et laissez-la se mettre à jour.
problem-routing-unknown = La répartition est « one-writer » ou « all-writers ».
problem-writer = { $name } reçoit les écritures : confiez-les d’abord à { $heir }, puis arrêtez ou redémarrez { $name }.
problem-writer-already = { $name } reçoit déjà les écritures.

# Ce qui a été demandé, ce qui a été décidé
event-all-writers = Toutes les bases reçoivent des écritures à partir de maintenant
event-elected = { $name } reçoit maintenant les écritures, à la place de celle qui a été perdue (époque { $epoch })
event-expelled = { $count ->
    [one] { $name } détient une transaction qu’aucune autre base n’a : elle est enregistrée dans { $file }, et { $name } reste à l’écart
   *[other] { $name } détient { $count } transactions qu’aucune autre base n’a : elles sont enregistrées dans { $file }, et { $name } reste à l’écart
}
event-gap = { $name } reçoit les écritures ; personne n’a pu écrire pendant { $ms } ms
event-handed-over = { $name } reçoit maintenant les écritures (époque { $epoch })
event-one-writer = Une seule base reçoit les écritures à partir de maintenant
event-promote = { $name } doit prendre les écritures
event-promote-abandoned = { $name } n’a pas pris les écritures : { $why }
event-promote-loss = { $name } doit prendre les écritures, même si des écritures sont perdues
event-readmitted = { $name } ne détient rien qui manque aux autres : elle suit de nouveau
decision-not-stored = la décision n’a pas pu être enregistrée
decision-refused = une autre décision est passée avant

# La base qui écrit est perdue
failover-applying = { $name } applique ce qu’elle a reçu : encore { $count }
failover-asking = on demande aux bases qui copiaient { $name } ce qu’elles ont reçu
failover-behind = { $count ->
    [one] une écriture de { $name }, peut-être confirmée, n’est sur aucune autre base
   *[other] { $count } écritures de { $name }, peut-être confirmées, ne sont sur aucune autre base
}
failover-cannot-apply = la base qui a reçu les dernières écritures de { $name } ne peut pas les appliquer
failover-no-promise = aucune autre base n’a de façon certaine toutes les écritures que { $name } a confirmées
failover-standby-away = { $name } a peut-être les dernières écritures confirmées, et ne répond pas
reason-writer-gone = { $why } ; { $and }

# Changement prévu
handover-away = { $name } ne répond pas
handover-catching-up = { $name } se met à jour : encore { $count }
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
reason-no-promise = si elle tombe maintenant, ses dernières écritures peuvent être perdues : aucune autre base ne confirme les avoir reçues
