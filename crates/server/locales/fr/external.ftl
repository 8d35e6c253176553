# Une base qui existe déjà
cli-help-add-plan = Seulement interroger cette base et dire ce qui se passerait ; rien n’est écrit
cli-help-add-user = Pour une base qui existe déjà : le compte par lequel Cordée la conduit
cli-help-password-file = Son mot de passe : un fichier que vous seul pouvez lire (mode 0600), ou - pour l’entrée standard
cli-password-file = Le mot de passe n’a pas pu être lu : donnez à --password-file un fichier que vous seul pouvez lire (mode 0600), ou - pour l’entrée standard.
event-let-go = { $name } ne répond pas et a été abandonnée : ce qu’elle seule a écrit n’est pas ici, et les liens et comptes du groupe (cordee_repl, site_app, site_owner) y sont encore
event-release = Les autres ont tout ce que { $name } a écrit ; les liens et les comptes du groupe en sont retirés
event-released = { $name } est de nouveau à vous, fermée (read_only=1), sans lien ni compte du groupe ; elle détient encore une copie des tables du groupe, peut-être partielle
event-released-untouched = { $name } est de nouveau à vous ; rien n’y a jamais été copié
freight-apart = { $count ->
    [one] { $names } a un autre moteur qu’InnoDB : ses lignes sont lues à un autre moment que le reste. N’y écrivez rien pendant la copie
   *[other] { $count } tables ont un autre moteur qu’InnoDB : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }. Leurs lignes sont lues à un autre moment que le reste : n’y écrivez rien pendant la copie
}
freight-events = { $count ->
    [one] L’événement planifié { $names } est copié, et ne s’y exécute pas
   *[other] { $count } événements planifiés sont copiés, et ne s’y exécutent pas : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }
}
freight-packet = Son max_allowed_packet est de { $own } ; Cordée y met { $wanted }, comme sur toutes les bases ici, jusqu’à son prochain redémarrage. Pour le garder, mettez max_allowed_packet={ $wanted } dans son fichier.
freight-views = { $count ->
    [one] La vue { $names } est cassée (quelque chose qu’elle nomme a disparu) : elle est copiée telle quelle, et ne pourra pas y être lue non plus
   *[other] { $count } vues sont cassées (quelque chose qu’elles nomment a disparu) : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }. Elles sont copiées telles quelles, et ne pourront pas y être lues non plus
}
guest-address-help = Sur cette machine : 127.0.0.1.
guest-examine = Examiner d’abord
guest-kept = Le mot de passe a été saisi une fois : il est gardé chiffré sur cette machine, et oublié avec la base.
guest-lead = Une MariaDB vide que vous gérez vous-même. Cordée lui demande ce qui l’empêcherait de rejoindre le groupe, et rien n’est écrit avant votre accord. Cordée ne pourra ensuite ni la démarrer, ni l’arrêter, ni la redémarrer.
guest-password = Mot de passe
guest-password-help = Saisi une fois ; gardé chiffré, montré nulle part.
guest-port-help = Vide : 3306.
guest-title = Ajouter une base qui existe déjà
guest-user = Compte
guest-user-help = Avec tous les droits et GRANT OPTION, depuis 127.0.0.1.
import-logged = La nouvelle base a écrit la copie dans son propre journal, où les autres la prendraient pour de nouvelles lignes : la copie a été abandonnée
join-existing = Elle existe déjà : ajouter une MariaDB qui marche sur cette machine
join-step-import = Les tables de { $name } y sont copiées pendant que { $name } sert ; rien n’en est journalisé là-bas. Le site continue.
problem-db-elsewhere = Elle est sur une autre machine : les bases de ce groupe n’écoutent que sur 127.0.0.1, et elle ne pourrait pas les copier. Donnez une adresse de cette machine, comme 127.0.0.1.
problem-freight-events = Il y a des événements planifiés, et le compte de Cordée sur { $donor } ne peut pas encore les lire : redémarrez { $donor } une fois.
problem-freight-float = { $count ->
    [one] { $names } a des valeurs FLOAT, ou un ENUM avec le membre '', qu’une copie par instructions altère et que Cordée ne peut pas récrire exactement (pas de clé primaire, une telle colonne dans une clé, un déclencheur sur UPDATE, un historique, ou un autre moteur qu’InnoDB). Passez les FLOAT en DOUBLE, ou laissez Cordée créer la base elle-même : elle copie les fichiers.
   *[other] { $count } tables ont des valeurs FLOAT, ou un ENUM avec le membre '', qu’une copie par instructions altère et que Cordée ne peut pas récrire exactement (pas de clé primaire, une telle colonne dans une clé, un déclencheur sur UPDATE, un historique, ou un autre moteur qu’InnoDB) : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }. Passez les FLOAT en DOUBLE, ou laissez Cordée créer la base elle-même : elle copie les fichiers.
}
problem-freight-history = { $count ->
    [one] L’historique de { $names } suit les transactions, et aucune instruction ne l’emporte. Laissez Cordée créer la base elle-même : elle copie les fichiers.
   *[other] L’historique de { $count } tables suit les transactions, et aucune instruction ne l’emporte : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }. Laissez Cordée créer la base elle-même : elle copie les fichiers.
}
problem-freight-unreadable = { $count ->
    [one] { $names } ne peut pas être ouverte là d’où elle serait copiée. Réparez-la ou supprimez-la d’abord.
   *[other] { $count } tables ne peuvent pas être ouvertes là d’où elles seraient copiées : { $names }{ $more ->
        [0] {""}
       *[other] {" "}et { $more } de plus
    }. Réparez-les ou supprimez-les d’abord.
}
problem-invited-late = Trop de temps a passé depuis que cette base a été regardée : regardez-la de nouveau.
problem-login-nobody = Un compte et un mot de passe sont pour une base qui existe déjà, sans « en démarrer une nouvelle ».
problem-login-own = { $user } est un compte du groupe, que Cordée refait sur chaque base. Prenez-en un autre.
problem-login-password = Saisissez le mot de passe du compte : 1 à { $most } octets, sans retour à la ligne. Un compte sans mot de passe n’est pas accepté.
problem-login-user = Saisissez le compte par lequel Cordée conduit la base : 1 à { $most } caractères.
problem-newcomer-data = { $count ->
    [one] Elle détient déjà une table ({ $names }) : seule une base vide peut entrer, et rien de ce qui est à vous n’est écrasé. Déplacez-la d’abord.
   *[other] Elle détient déjà des tables ({ $names }…) : seule une base vide peut entrer, et rien de ce qui est à vous n’est écrasé. Déplacez-les d’abord.
}
problem-newcomer-history = Elle a une histoire à elle ({ $position }), que les autres iraient chercher. Si rien n’en est utile, exécutez là-bas : RESET MASTER; SET GLOBAL gtid_slave_pos='';
problem-newcomer-links = Elle copie déjà une autre base (lien { $names }). Mettez-y fin d’abord : STOP ALL SLAVES; RESET SLAVE … ALL;
problem-newcomer-names = Elle traite autrement la casse des noms de tables (lower_case_table_names={ $own }). Refaites-la avec lower_case_table_names={ $wanted }.
problem-newcomer-older = Elle est plus ancienne ({ $version }) que la base qu’elle copierait ({ $donor }), et pourrait ne pas comprendre ce que celle-ci écrit. Prenez la même version ou une plus récente.
problem-newcomer-overtaken = Une autre base a été ajoutée entre-temps, son numéro serait donc un autre : regardez-la de nouveau.
problem-newcomer-password = Le compte ou son mot de passe a été refusé (erreur { $code }). MariaDB dit la même chose quand elle n’accepte que des connexions chiffrées (require_secure_transport, REQUIRE SSL), que Cordée ne fait pas.
problem-newcomer-program = Les programmes mariadb-dump et mariadb manquent sur cette machine. Installez le paquet mariadb-client.
problem-newcomer-rights = Il manque au compte : { $rights }. Exécutez là-bas : GRANT ALL PRIVILEGES ON *.* TO … WITH GRANT OPTION;
problem-newcomer-settings = { $count ->
    [one] Cette ligne doit figurer sous [mariadbd] dans son fichier ; redémarrez-la ensuite : { $lines }
   *[other] Ces { $count } lignes doivent figurer sous [mariadbd] dans son fichier, chacune sur sa ligne ; redémarrez-la ensuite : { $lines }
}
reason-diverged-external = elle détient des transactions qu’aucune autre base n’a, ou il lui en manque à elle ; ce qu’elle détient y reste. Enregistrez-les, puis retirez-la, videz-la et ajoutez-la de nouveau
set-do-file = Réglez-le dans le fichier de { $name } et redémarrez-la : Cordée ne la gère pas.
status-astray = Autre numéro
wait-astray = { $name } est revenue comme server_id { $id } au lieu de { $wanted } : remettez server_id={ $wanted } et gtid_domain_id={ $wanted } dans son fichier et redémarrez-la. D’ici là, rien n’est fait avec elle.
