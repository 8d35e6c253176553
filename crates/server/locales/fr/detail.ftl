# Une base de données en détail
arrow-missing = { $count ->
    [0] rien ne manque
    [one] 1 transaction manque
   *[other] { $count } transactions manquent
}
detail-again = Demander de nouveau
detail-as-of = demandé à { $time }
detail-id = serveur et domaine { $id }, place { $slot } dans la numérotation automatique
detail-log = La fin de son journal d’erreurs
detail-log-all = Tous ses journaux
detail-no-engine = Le moteur de Cordée n’a pas répondu à temps.
detail-not-asked = Elle n’a pas pu être interrogée.
detail-not-asked-help = Ses threads, positions, réglages, comptes et connexions ne sont donc pas montrés. Ce qui suit est connu sans elle.
detail-pid = processus { $pid }
standing-diverged = à l’écart : détient des données à elle seule
standing-joining = entre dans le groupe
standing-leaving = quitte le groupe
standing-member = membre
standing-returning = en cours de comparaison

# Que faire
do-alone = Les threads ci-dessous disent quel sens est arrêté et pourquoi. Tant qu’il ne repart pas, cette base et les autres s’éloignent.
do-behind = Regardez les connexions : une longue requête en est la cause habituelle. Elle rattrape seule ; d’ici là, ne la promouvez pas.
do-blocked = Son disque est peut-être plein, ou un verrou est tenu : regardez son journal d’erreurs et la plus longue requête ci-dessous.
do-closed = Rien n’écrit tant qu’elle n’est pas ouverte. La raison ci-dessus dit ce qu’elle attend.
do-copy-failed = Faites recopier { $name }, ou retirez-la et ajoutez-la de nouveau. Une base dont on sait que les lignes diffèrent n’est pas copiée.
do-diverged = Mettez à l’abri ce que { $name } est seule à détenir (le fichier nommé ci-dessus), puis faites-la recopier depuis la base qui écrit.
do-down = Regardez son journal d’erreurs ci-dessous, puis démarrez-la de nouveau. Les autres continuent.
do-frozen = Son processus est suspendu, par un signal ou un débogueur. Pour qu’il reprenne : kill -CONT avec le numéro ci-dessus. Ou redémarrez-la.
do-full = Regardez ci-dessous qui tient les connexions. Redémarrer les serveurs web libère les leurs.
do-open = Deux bases prennent des écritures. Cordée ferme { $name } d’elle-même ; si elle reste ouverte, arrêtez-la.
do-replication = Les threads ci-dessous nomment l’erreur et disent que faire. La base garde ce qu’elle a ; elle prend du retard entre-temps.
do-rows = Les tables et les lignes différentes sont ci-dessous. Prenez les lignes d’un côté, ou faites recopier { $name }.
do-stopped-writer = Démarrez { $name } : elle reçoit de nouveau les écritures dès qu’elle est ouverte.
do-stopped = Démarrez { $name } : elle rattrape ensuite d’elle-même.
do-unknown = Attendez un instant. Si cela dure, regardez son journal d’erreurs ci-dessous, et celui de Cordée.
do-unprotected = Regardez les bases de secours : une seule qui marche et a tout rattrapé suffit pour que la promesse revienne.
do-writer-down = Si elle ne revient pas d’elle-même, promouvez une base de secours ; là où l’une détient tout, Cordée le fait seule.

# Les trois vérités
tables-help = À la main, une ligne se répare sur la base fautive seulement : d’abord SET sql_log_bin=0, puis la modification. Comparez de nouveau ensuite.
tables-title = Égalité non prouvée
tables-title-differ = Tables différentes
truth-age = comparées il y a { $age } ; ce qui a été écrit depuis n’est pas concerné
truth-alone = Aucune autre
truth-alone-why = il n’y a pas de deuxième base avec laquelle échanger les écritures
truth-ask-links = Les liens marchent-ils ?
truth-ask-positions = Les positions se suivent-elles ?
truth-ask-rows = Les données sont-elles égales ?
truth-behind = { $count ->
    [one] Non : 1 transaction manque ici
   *[other] Non : { $count } transactions manquent ici
}
truth-caught-up = Oui : rien ne manque d’aucun côté
truth-caught-up-partly = Pour ce qu’on en sait
truth-caught-up-partly-why = pas interrogées : { $names }
truth-comparing = Comparaison en cours
truth-comparing-why = { $rows ->
    [one] { $rows } ligne jusqu’ici
   *[other] { $rows } lignes jusqu’ici
}
truth-delay = { $ms } ms entre une écriture validée et son application ici
truth-delay-unknown = le retard n’a pas été mesuré
truth-differs = { $count ->
    [one] Non : 1 table diffère
   *[other] Non : { $count } tables diffèrent
}
truth-differs-why = sur { $tables } comparées avec { $with } par somme de contrôle
truth-equal = Oui, par somme de contrôle
truth-equal-why = { $rows ->
    [one] { $rows } ligne
   *[other] { $rows } lignes
} de { $tables ->
    [one] { $tables } table
   *[other] { $tables } tables
}, comparaison avec { $with }
truth-failed-why = la dernière comparaison n’est pas allée au bout : { $why }
truth-late = Complète, mais en retard
truth-links-broken = Non
truth-links-broken-why = { $count ->
    [one] { $count } sens sur { $all } arrêté
   *[other] { $count } sens sur { $all } arrêtés
} : { $names }
truth-links-run = Oui, dans les deux sens
truth-links-run-why = { $count ->
    [one] { $count } lien, avec son thread de réception et son thread d’application
   *[other] { $count } liens, chacun avec son thread de réception et son thread d’application
}
truth-links-unknown = En partie inconnu
truth-links-unknown-why = pas interrogés : { $names }
truth-never = Pas encore comparées
truth-never-why = des liens qui marchent et des positions égales ne prouvent pas des lignes égales
truth-of = { $name } : { $why }
truth-others-behind = Complète ici, pas sur toutes les autres
truth-others-behind-why = il en manque sur { $names }
truth-positions-unknown-why = pas interrogées : { $names }
truth-read = demandé à { $time }
truth-unknown = Inconnu
truth-unproven = { $count ->
    [one] 1 table n’a pas pu être comparée
   *[other] { $count } tables n’ont pas pu être comparées
}
truth-unproven-why = aucune différence dans { $count ->
    [one] l’autre table
   *[other] les { $count } autres
} ({ $rows ->
    [one] { $rows } ligne
   *[other] { $rows } lignes
}), comparaison avec { $with }
truth-wanted = Comparaison sur le point de commencer
truth-wanted-why = elle commence quand la base suit de près celle qui écrit
truths-compare = Comparer maintenant
truths-help = aucune ne découle d’une autre
truths-title = Trois vérités

# Lignes différentes
row-changed = d’autres valeurs sur { $name }
row-extra = seulement sur { $name }
row-lacking = absente de { $name }
rows-at-least = { $count ->
    [one] { $count } ligne différente ou plus
   *[other] { $count } lignes différentes ou plus
} : la table n’a pas été lue jusqu’au bout
rows-differ = { $count ->
    [one] 1 ligne différente
   *[other] { $count } lignes différentes
}
rows-no-table = la table manque sur { $names }
rows-structure = les colonnes ou la clé primaire ne sont pas les mêmes sur { $names }
rows-unproven = on ne peut prouver ni égalité ni différence : { $why }

# Dans les deux sens
pairs-none = Il n’y a pas d’autre base.
pairs-title = Réplication dans les deux sens

# La promesse
promise-alone-why = Il n’y a pas d’autre base : ce qui a été écrit depuis la dernière sauvegarde se perd avec celle-ci.
promise-fallen-why = Un accusé de réception a trop tardé, et MariaDB continue sans. Ce qu’aucune base de secours n’a reçu est perdu si cette base est perdue maintenant.
promise-kept = En vigueur
promise-kept-why = { $count ->
    [one] Une écriture n’est validée qu’après réception par la seule base de secours qui confirme.
   *[other] Une écriture n’est validée qu’après réception par l’une des { $count } bases de secours qui confirment.
}
promise-no-receipts = Elle ne confirme rien
promise-nobody-why = Aucune base de secours ne confirme. Ce qu’aucune n’a reçu est perdu si cette base est perdue maintenant.
promise-none = Pas en vigueur
promise-off-why = Elle n’est pas encore activée : Cordée le fait dès qu’une base de secours a tout rattrapé. Ce qu’aucune n’a reçu est perdu si cette base est perdue maintenant.
promise-receipts = Elle confirme ce qu’elle reçoit
promise-second-why = Seule la base qui écrit attend des accusés de réception. Ce qui a été écrit ici et n’a atteint aucune autre base est perdu si celle-ci est perdue maintenant.
promise-standby-why = La base qui écrit valide une écriture dès qu’une base de secours en a confirmé la réception.
promise-title = Ce que vaut une écriture validée, maintenant

# Threads et erreurs
error-1032 = Une ligne modifiée ou supprimée sur l’autre base n’est pas ici.
error-1032-do = Les données diffèrent. Prenez les lignes de la base qui écrit (« Remettre en ordre ce qui diffère », sur cette page) : la ligne absente revient. Dans le doute, faites recopier la base.
error-1045 = L’autre base a refusé le compte par lequel celle-ci la copie.
error-1045-do = Redémarrez l’autre base : les comptes de Cordée font partie de ses données. Si cela dure, quelqu’un a changé le mot de passe de cordee_repl.
error-1062 = Une ligne ajoutée sur l’autre base est déjà ici, avec la même clé.
error-1062-do = Quelqu’un a écrit ici sans passer par la base qui écrit. Comparez les deux lignes, puis prenez celle de la base qui écrit (« Remettre en ordre ce qui diffère », sur cette page) : celle d’ici est gardée dans un fichier. Dans le doute, faites recopier la base.
error-1236 = L’autre base n’a plus la partie de son journal binaire qui manque ici.
error-1236-do = Rattraper n’est plus possible : faites recopier cette base.
error-1593 = Un événement est arrivé sans la marque de la réplication semi-synchrone qui était attendue, ou avec une qui ne l’était pas.
error-1593-do = Rien : il est reçu de nouveau, entier. Cela arrive quand un autre lien de la même base s’arrête.
error-1950 = Une transaction est arrivée avec un numéro qui n’est pas supérieur au dernier de son domaine.
error-1950-do = Quelqu’un a écrit ici sans passer par Cordée, ou une base a été restaurée d’une sauvegarde. Comparez les lignes ; dans le doute, faites recopier la base.
error-2003 = L’autre base est injoignable, ou est partie.
error-2003-do = Un nouvel essai a lieu chaque seconde. Si l’autre devrait marcher, regardez sa page.
error-number = Erreur
error-other = Une erreur pour laquelle Cordée n’a pas de phrase.
error-other-do = Les mots de MariaDB et le journal d’erreurs ci-dessous en disent plus. Le lien reste arrêté tant que personne ne s’en est occupé.
error-words = Dans les mots de MariaDB :
thread-applies = Application
thread-connects = se connecte
thread-received = Reçu jusqu’à
thread-receives = Réception
thread-runs = marche
thread-stands = arrêtée
threads-from = Copie
threads-none = Elle ne copie aucune autre base.
threads-title = Threads et erreurs

# Positions
domain-gone = une base retirée
position-applied = Appliqué
position-domain = Domaine
position-logged = Dans son journal
position-whose = Écrit par
positions-help = Le dernier numéro de chaque domaine. Chaque base écrit dans un domaine à elle.
positions-title = Positions

# Comptes
accounts-help = les mots de passe ne sont pas lus
accounts-title = Comptes
fence-passes = Franchit la clôture : avec READ_ONLY ADMIN, il écrit dans une base fermée, et ce qu’il y écrit est copié sur les autres. Retirez ce droit, à lui ou à son rôle : REVOKE READ_ONLY ADMIN ON *.*
fence-super = Détient SUPER : avant MariaDB 10.11, cela suffit pour écrire dans une base fermée. Rien du site n’en a besoin.
may-all = tout, sur tout
may-everywhere = sur tout : { $rights }
may-nothing = aucun droit propre
may-schemas = { $count ->
    [one] sur le schéma { $names }
   *[other] sur les schémas { $names }
}

# Réglages
set-checks = Les lignes qu’une clé étrangère ou unique interdit sont refusées, sur chaque base de la même façon.
set-connections = Moins seraient épuisées par les serveurs web aux heures de pointe.
set-do-restart = Redémarrez { $name } : Cordée écrit le réglage dans son fichier à chaque démarrage.
set-do-statement = Exécutez-y : SET GLOBAL { $name } = { $value } ; et vérifiez son fichier.
set-do-wait = Cordée le règle d’elle-même ; si cela dure, la raison est dans le statut.
set-duplicates = Une transaction qui arrive par deux liens est appliquée une fois.
set-durable = Une écriture est sur le disque avant d’être validée.
set-exec = Une liaison s’arrête sur un conflit au lieu de passer outre.
set-expire = Une base absente aussi longtemps rattrape encore ; au-delà, seule une nouvelle copie aide.
set-id = À elle seule, jamais réutilisé : les événements d’un numéro réutilisé sont sautés en silence.
set-packet = Ce qu’une base accepte, chacune l’accepte : une longue valeur serait refusée après un changement de base qui écrit.
set-packet-links = Les longues valeurs passent aussi par les liens ; une trop longue les arrête.
set-infile = Un client ne se voit pas demander ses propres fichiers.
set-log = Ce qu’elle écrit figure dans son journal : c’est là que les autres le copient.
set-net-timeout = Une base figée est remarquée après autant de secondes.
set-parallel = Ce qui a été reçu est vite appliqué quand elle doit prendre le relais.
set-read-only = Fermée à l’application, sauf si elle prend des écritures.
set-read-only-file = Elle démarre fermée : seule Cordée l’ouvre.
set-receipts = Elle confirme à la base qui écrit ce qu’elle reçoit.
set-row = Les lignes sont copiées, pas les requêtes : les deux côtés reçoivent les mêmes valeurs.
set-row-image = Toutes les colonnes sont copiées : une différence se voit au lieu de rester cachée.
set-scheduler = Les événements planifiés s’exécutent sur la base qui écrit, dès qu’elle est ouverte, et nulle part ailleurs.
set-semi-sync = La base qui écrit attend l’accusé de réception d’une base de secours.
set-semi-timeout = Millisecondes après lesquelles la base qui écrit continue sans accusé de réception.
set-slots = Une seule base écrit : les lignes se numérotent l’une après l’autre. Quand toutes écrivent, chacune numérote par pas à elle, et deux bases ne donnent jamais le même numéro.
set-trust = Un compte de l’application peut créer des déclencheurs et des fonctions : ce sont les lignes qui sont copiées, pas les instructions, et leur effet est le même sur chaque base.
set-strict = Les numéros des transactions ne font que croître : une écriture en dehors de Cordée se remarque.
set-updates = Ce qu’elle copie est dans son propre journal : elle peut le transmettre à son tour.
set-wait-nobody = Sans base de secours, les écritures continuent aussitôt.
set-wait-point = Une base de secours détient une écriture avant que quiconque la voie.
set-zone = Les heures ont le même sens sur chaque base.
setting-actual = Réel
setting-expected = Attendu
setting-name = Réglage
setting-why = Pourquoi
settings-all = Détails et effets
settings-differ = Différents :
settings-fine = Tous comme il faut
settings-title = Réglages

# Connexions
crowd-busy = au travail
crowd-connections = { $count } sur { $most }, la question de cette page comprise
crowd-open = { $count ->
    [one] { $count } ouverte
   *[other] { $count } ouvertes
}
crowd-own = { $count ->
    [one] { $count } thread propre à MariaDB, non compté
   *[other] { $count } threads propres à MariaDB, non comptés
}
crowd-replication = réplication
crowd-secret = (une requête avec un mot de passe, non montrée)
crowds-title = Connexions en ce moment

# Le test de connexion
test-fail-apply = { $on } reçoit ce que { $from } écrit, mais ne l’applique pas. Sa page dit pourquoi.
test-fail-beat-none = Aucun battement de { $from } n’est jamais arrivé sur { $on }. Regardez les threads sur sa page.
test-fail-beat-old = Le dernier battement de { $from } arrivé sur { $on } date de { $seconds } s. Regardez les threads sur sa page.
test-fail-closes = La connexion est fermée aussitôt, sans un mot. Le serveur est peut-être en train de s’arrêter, ou refuse cette machine : regardez son journal d’erreurs.
test-fail-cut = La connexion a été coupée en plein échange. Regardez son journal d’erreurs : il vient peut-être de s’arrêter.
test-fail-disk = Écriture impossible : son disque est plein (erreur { $code }). Libérez-y de la place.
test-fail-garbage = Ce qui écoute là n’est pas une base de données. Vérifiez l’adresse et le port.
test-fail-host = Cette machine est refusée (erreur { $code }). Autorisez l’adresse pour le compte, ou lancez FLUSH HOSTS après trop de connexions rompues.
test-fail-http = Un serveur web écoute là, pas une base de données. Vérifiez le port.
test-fail-link-error = { $on } a cessé de copier { $from } : erreur { $code }. Sa page dit ce que cela signifie.
test-fail-lock = La ligne ou la table est verrouillée par quelqu’un d’autre (erreur { $code }). Regardez la plus longue requête sur sa page.
test-fail-many = Plus aucune connexion n’est libre (erreur { $code }). Sa page montre qui les tient ; max_connections en fixe le nombre.
test-fail-missing = Le schéma ou la table n’est pas là (erreur { $code }). Cordée les crée sur la base qui écrit ; sur une base de secours, ils arrivent par la réplication.
test-fail-mysql = Ce n’est pas MariaDB (elle annonce { $version }). Cordée ne fait marcher que MariaDB : ses transactions sont numérotées autrement.
test-fail-name = Le nom { $name } est introuvable. Vérifiez son orthographe, ou ajoutez-le au service de noms de cette machine.
test-fail-name-unusable = Le nom { $name } désigne une adresse qu’aucun serveur ne peut avoir : de lien local, multidiffusion, ou de personne.
test-fail-no-link = { $on } ne copie pas { $from }. Cordée fait le lien d’elle-même ; si cela dure, le journal dit pourquoi.
test-fail-old = Elle est trop ancienne (elle annonce { $version }) : il faut MariaDB 10.5 ou plus récente.
test-fail-open = Elle a accepté une écriture alors que c’est une base de secours : elle devrait être fermée. La ligne a été reprise. Cordée la ferme d’elle-même ; si elle reste ouverte, arrêtez-la.
test-fail-password = Le compte ou son mot de passe est refusé (erreur { $code }). MariaDB dit la même chose quand elle n’accepte que des connexions chiffrées (require_secure_transport), que Cordée ne fait pas.
test-fail-plugin = Elle demande une façon de s’identifier que Cordée ne connaît pas. Prenez mysql_native_password ou ed25519 pour le compte.
test-fail-protocol = La réponse n’est pas dans le langage d’une base de données. Vérifiez ce qui écoute sur ce port.
test-fail-read-only = Elle est fermée aux écritures (erreur { $code }), alors qu’elle devrait les prendre. Son statut dit ce qu’elle attend.
test-fail-receive = { $on } ne reçoit pas ce que { $from } écrit. Sa page dit pourquoi.
test-fail-refused = Rien n’écoute sur le port { $port }. Démarrez le serveur, ou vérifiez le port.
test-fail-right = Il manque un droit au compte (erreur { $code }). Il lui faut SELECT, INSERT, UPDATE et DELETE sur son schéma.
test-fail-rights = Il manque à { $user } : { $rights } sur son schéma. Accordez ce qui manque.
test-fail-silent = La connexion est établie, mais le serveur ne dit rien : il est figé, ou ce n’est pas une base. Une base parle la première.
test-fail-timeout = Pas de réponse en { $seconds } s. Le serveur est figé ou surchargé, ou un pare-feu avale les paquets.
test-fail-tls = Elle n’accepte que des connexions chiffrées (erreur { $code }), que Cordée ne fait pas.
test-fail-too-many = { $user } peut trop : avec SUPER, READ_ONLY ADMIN ou ALL sur tout, il écrit dans des bases fermées. Retirez ces droits.
test-fail-unreachable = La machine est injoignable. Vérifiez son adresse et le réseau.
test-fail-version = Elle ne dit pas quelle version elle est (« { $version } »). Vérifiez ce qui écoute sur ce port.
test-fail-wants-file = Au lieu de répondre, le serveur a demandé un fichier de cette machine. Il n’a rien reçu. Ce n’est pas une base honnête : vérifiez qui écoute là.
test-fail-wants-password = Le serveur a demandé le mot de passe en clair. Il ne l’a pas reçu. Ce n’est pas une base honnête, ou elle est réglée ainsi : vérifiez qui écoute là.
test-handshake = Salutation
test-handshake-done = Elle dit être MariaDB { $version }.
test-replication = Réplication
test-replication-alone = Aucune autre base en marche avec laquelle échanger les écritures.
test-replication-done = { $count ->
    [one] Marche dans les deux sens avec une autre base ; le plus vieux battement arrivé a { $ms } ms.
   *[other] Marche dans les deux sens avec { $count } autres bases ; le plus vieux battement arrivé a { $ms } ms.
}
test-rights = Droits
test-rights-done = Le compte peut lire et écrire son schéma, et rien d’autre.
test-rights-more = Le compte peut lire et écrire son schéma. Il détient aussi, sur tout, des droits dont il n’a pas besoin : { $rights }.
test-write = Écriture
test-write-done = Une ligne a été écrite, puis reprise.
test-write-refused = Une écriture est refusée, comme il se doit sur une base de secours (erreur 1290).
do-unproven = Les tables qui n’ont pas pu être comparées sont ci-dessous, chacune avec sa raison. Ce qui a été comparé est identique. On ne peut ni les comparer ni les réparer : dans le doute, faites recopier la base, ce qui les emporte.
do-keyless = Donnez une clé primaire à ces tables (ALTER TABLE … ADD PRIMARY KEY). Elles sont copiées comme les autres, mais personne ne peut le prouver.
do-schema = Cordée les recrée d’elle-même. Si cela dure, regardez le journal de { $name } et la place restante sur son disque.
do-memory = Faites-en des tables InnoDB (ALTER TABLE … ENGINE=InnoDB), sauf si leurs lignes peuvent être perdues.
