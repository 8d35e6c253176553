## Un lien qui s’est arrêté sur une ligne

conflict-column = Colonne
conflict-title = { $from } n’est plus copiée : { $table }, { $key }
conflict-title-bare = { $from } n’est plus copiée
conflict-there = Sur { $name }
conflict-here = Sur { $name } (cette base)
conflict-none = pas de telle ligne
conflict-wanted = Ce que { $name } y a fait
conflict-no-row = La ligne à changer ou à retirer n’est pas sur cette base.
conflict-unknown = La ligne de { $table } ne se retrouve pas d’après ce que MariaDB en dit.
repair-many = plus de { $count } lignes gênent ce qu’elle reçoit de { $from } : recopiez-la

ask-repair-writer = Prendre les lignes de { $writer } sur { $name }
ask-repair-writer-lead = Le site continue. Partout où { $name } diffère de { $writer }, elle reçoit la ligne de { $writer }.
ask-repair-writer-after = { $name } contient ce que { $writer } contient, et lui a été comparée.
ask-repair-this = Prendre partout les lignes de { $name }
ask-repair-this-lead = Le site continue, avec d’autres valeurs : partout où { $name } diffère de { $writer }, la ligne de { $name } est écrite sur { $writer } et sur toutes les autres.
ask-repair-this-after = Toutes contiennent ce que { $name } contient maintenant, là où elle diffère.
ask-repair-more = Rien d’autre n’est touché. Chaque ligne est tenue immobile quelques millisecondes, le temps de l’écrire.
ask-repair-meanwhile = Le site lit et écrit comme avant.
ask-back-repair = Les deux versions de chaque ligne sont d’abord dans un fichier sous lost/ : on peut les réécrire à la main.

status-not-copied = Pas copiée
reason-not-copied = { $name } ne la copie plus : erreur { $code }
do-not-copied = Regardez la base qui a cessé de copier : ce qui est écrit ici n’y est pas tant que sa ligne n’est pas remise en ordre.

repair-slow = des lignes de { $table } sont plus longues à écrire qu’on ne peut les tenir immobiles : faites recopier la base
repair-unique = des lignes de { $table } se gênent l’une l’autre (clé unique) : recopiez la base
repair-refused = la base ne prend pas une ligne de { $table } (erreur { $code }) : recopiez-la
event-not-repaired = { $name } : des lignes de { $table } n’ont pas été remises en ordre : { $why }
event-repair-failed = { $name } : la réparation s’est terminée sans succès et n’est pas retentée d’elle-même : { $why }
repair-overtaken = une autre base est devenue celle qui écrit depuis la demande ; redemandez-la si c’est toujours ce que vous voulez
