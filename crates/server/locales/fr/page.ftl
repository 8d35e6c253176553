# Les mots de la page.

# Le cadre
ago = il y a { $age }
back-board = Retour au tableau de bord
cancel = Annuler
close = Fermer
lang-name = Français
live-above = Plus haut, ce qui est à traiter a changé
live-gone = Connexion perdue.
live-late = En retard
live-removed = Retiré
live-outdated = Plus d’actualité
live-lost = Connexion perdue : ce qui est montré date de { $age }. Nouvel essai en cours.
live-on = En direct
live-pause = Figer l’affichage
live-paused = Affichage figé
live-resume = Reprendre l’affichage
live-wait = Âge des données
nav-board = Tableau de bord
nav-help = Aide
nav-journal = Journal
nav-label = Navigation principale
nav-menu = Menu
optional = facultatif
ask-failed = Cordée ne répond pas. Rien n’a encore été envoyé : réessayez.
send-failed = Cordée ne répond pas. Résultat inconnu : vérifiez l’état.
sign-out = Se déconnecter
skip = Aller au contenu
theme-auto = Thème : automatique
theme-dark = Thème : sombre
theme-light = Thème : clair
undo = Annuler

# Messages
message-missing = Introuvable
message-no-page = Rien n’existe à cette adresse.
message-refused = Demande refusée
message-wait = Trop d’essais

# Entrer, premier démarrage
event-account = Compte { $name } créé
login-again = Votre session a commencé sans le script de la page, ou avant une mise à jour de Cordée : sans votre mot de passe, elle ne permet de rien modifier. Connectez-vous de nouveau.
login-button = Se connecter
login-foot = Le site continue sans cette page.
login-forgotten = Mot de passe perdu ? Sur la machine du cluster :
login-name = Nom d’utilisateur
login-password = Mot de passe
login-title = Connexion
problem-account-name = Donnez un nom de 1 à 64 caractères.
problem-code = Ce n’est pas le code de cette machine. Il est affiché par la commande ci-dessous.
problem-form = Les champs du formulaire sont illisibles.
problem-password = Nom ou mot de passe incorrect.
problem-password-long = { $count } octets au plus.
problem-password-short = { $count } caractères au moins.
problem-too-many = Trop d’essais manqués : { $seconds ->
    [one] réessayez dans { $seconds } seconde.
   *[other] réessayez dans { $seconds } secondes.
}
setup-button = Créer le compte
setup-code = Code à usage unique
setup-code-help = Il est affiché dans le terminal où Cordée a démarré, ou par
setup-help = Un compte, et le tableau de bord s’ouvre. Le code prouve que vous avez accès à cette machine.
setup-password-help = 8 caractères au moins. Une phrase convient.
setup-title = Premier démarrage
setup-who = Qui êtes-vous ?

# Tableau de bord
board-no-script = État à { $time }. Sans script, rechargez la page pour la mettre à jour.
clients = { $count ->
    [one] { $count } connecté
   *[other] { $count } connectés
}
cookie-automatic = automatique
events-all = Tout le journal
events-none = Rien encore : les actions et les changements d’état s’écrivent ici.
events-title = Derniers événements
gap-last = Dernier changement de base qui écrit : au plus { $time } sans écriture
kind-external = Externe
link-error = erreur { $code }
link-stopped = arrêtée
rate-db = { $count ->
    [one] { $count } connexion/s
   *[other] { $count } connexions/s
}
rate-web = { $count } req/s
role-also = Écrit aussi
role-joining = Nouvelle
role-leaving = S’en va
role-out = À l’écart
role-standby = Secours
role-writer = Reçoit les écritures
rope-attached = { $count ->
    [one] { $count } attaché
   *[other] { $count } attachés
}
rope-also = écrit aussi
rope-crowd-aside = { $count } à l’écart
rope-crowd-busy = { $count } en cours
rope-crowd-db = { $count ->
    [one] { $count } base
   *[other] { $count } bases
}
rope-crowd-trouble = { $count } à traiter
rope-crowd-unknown = { $count } dans un état inconnu
rope-crowd-up = { $count } en ligne
rope-crowd-web = { $count ->
    [one] { $count } serveur web
   *[other] { $count } serveurs web
}
rope-label = Le chemin d’une requête
rope-standby = secours
rope-visitors = Visiteurs
rope-writer = écrit
routing-all = toutes écrivent
routing-label = Quelles bases écrivent
routing-one = une seule base écrit
sessions = { $count } en cours
times-in = Heures affichées : { $zone }, sur 24 h
todo-none = Rien à faire
todo-none-help = Un serveur qui ne va pas bien apparaît ici, avec la raison et ce qu’on peut faire.
todo-title = À traiter

# Tableaux
pager-after = Suivant
pager-before = Précédent
sift-as-added = ordre d’ajout
sift-clear = Tout montrer
sift-none = Aucun serveur ne correspond.
sift-order = Trier par
sift-word = Chercher
col-actions = Actions
col-address = Adresse
col-check = Vérifié
col-copies = Copie de
col-role = Rôle
col-sessions = En cours
col-status = Statut
col-type = Type
check-db = Cordée interroge cette base par SQL chaque seconde.
check-more = Comment ça marche ?
check-of = Dernière vérification de
check-read = Lu
check-result = Résultat
check-took = Durée
check-total = Requêtes jusqu’ici
check-total-db = Connexions jusqu’ici
check-web = HAProxy envoie GET / à ce serveur chaque seconde ; Cordée lit son verdict.
db-at = Bases de données du site :
db-foot = Cordée interroge chaque base toutes les secondes et mesure le retard dans les deux sens.
db-mode = maître ⇄ maître
db-none = Aucune base de données.
db-title = Bases de données
db-writer-at = Toujours celle qui reçoit les écritures :
site-at = Le site :
web-foot = HAProxy vérifie chaque serveur toutes les secondes ; 2 échecs de suite le mettent hors ligne, 1 réussite le ramène.
web-none = Aucun serveur web. Ajoutez le premier : HAProxy lui enverra des visiteurs dès sa première vérification réussie.
web-title = Serveurs web

# Actions
act-cancel = Annuler l’ajout de
act-cancel-short = Annuler
act-drain = Écarter
act-drain-short = Écarter
act-logs = Journaux
act-maintenance = Mettre en maintenance
act-anyway = Le faire quand même :
act-withdraw = Annuler la demande
act-more = Autres actions pour
act-promote = Promouvoir
act-promote-short = Promouvoir
act-promote-to = Promouvoir
act-ready = Remettre en service
act-ready-short = Reprendre
act-recopy = Recopier
act-recopy-short = Recopier
act-remove = Retirer
act-restart = Redémarrer
act-start = Démarrer
act-stop = Arrêter
act-test = Tester la connexion
act-test-short = Tester
act-verify = Comparer les lignes

# Questions
ask-after = Après
ask-back = Retour
ask-back-remove = Ajouter de nouveau un serveur nommé { $name } : il commence avec de nouveaux fichiers ; les anciens restent à la corbeille jusqu’à « Nettoyer la configuration ».
ask-back-remove-external = Ajouter de nouveau { $name }, à la même adresse.
ask-back-restart = Tout seul : { $name } reprend des visiteurs à sa première vérification réussie, en quelques secondes.
ask-back-restart-db = Toute seule : { $name } reprend dès qu’elle répond et qu’elle a tout copié.
ask-back-stop = « Démarrer » dans la ligne de { $name }.
ask-back-ready = « Reprendre » ou « Démarrer » dans la ligne de { $name }.
ask-before = Avant
ask-db-catch-up = À son retour, { $name } copie ce qui a été écrit sans elle.
ask-db-standby = Le site continue avec { $writer }. Tant que { $name } est arrêtée, il n’y a pas de copie de secours.
ask-db-writer = { $sessions ->
    [one] { $name } reçoit les écritures ({ $sessions } connexion) : tant qu’elle est arrêtée, le site n’a pas de base de données.
   *[other] { $name } reçoit les écritures ({ $sessions } connexions) : tant qu’elle est arrêtée, le site n’a pas de base de données.
}
ask-know = Je sais que le site ne répondra plus.
ask-remove = Retirer { $name }
ask-remove-external = Cordée cesse de lui envoyer des visiteurs. Le serveur lui-même n’est pas touché.
ask-remove-process = Son processus s’arrête, et son dossier va à la corbeille, que seul « Nettoyer la configuration » vide.
ask-restart = Redémarrer { $name }
ask-drain = Écarter { $name }
ask-maintenance = Mettre { $name } en maintenance
ask-anyway = Sortir { $name } quand même
ask-serving = { $count ->
    [0] Aucun serveur web ne reçoit de visiteurs{ $names }
    [one] { $count } serveur web reçoit des visiteurs : { $names }
   *[other] { $count } serveurs web reçoivent des visiteurs : { $names }
}
ask-stop = Arrêter { $name }
ask-type = Pour confirmer, tapez
ask-web-idle = { $name } ne reçoit pas de nouveaux visiteurs. { $visitors }
ask-web-last-drain = { $name } est le dernier serveur web en ligne : tant qu’il est à l’écart, les nouveaux visiteurs n’obtiennent aucune page. { $visitors }
ask-web-last = { $name } est le dernier serveur web en ligne : sans lui, le site ne répond plus. { $visitors }
ask-web-move = { $visitors } Les visiteurs passent sur { $names }.
ask-web-drain = Les visiteurs attachés continuent : leur cookie les ramène à { $name } jusqu’à la fin de leur session.
ask-web-keep = HAProxy cesse d’abord d’envoyer des visiteurs à { $name }, puis le serveur finit ses requêtes. Les sessions sont dans la base : personne ne perd la sienne.
ask-web-lose = HAProxy cesse d’abord d’envoyer des visiteurs à { $name }, puis le serveur finit ses requêtes. Les visiteurs attachés perdent ce que leur session PHP garde dans un fichier de { $name } : un panier, une connexion.
visitors-attached = { $count ->
    [one] { $count } visiteur est attaché à { $name } par son cookie, depuis { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }.
   *[other] { $count } visiteurs sont attachés à { $name } par son cookie, depuis { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }.
}
visitors-free = Aucun visiteur n’est attaché à { $name }.
visitors-uncounted = On ne sait pas combien de visiteurs sont attachés à { $name }.
problem-confirm-name = Tapez « { $name } », avec les mêmes majuscules.
problem-confirm-tick = Cochez la case : sans ce serveur, le site ne répond plus.

# Ajouter
add-address-help = 10.0.0.15 ou web3.lan. Un nom inconnu est ajouté quand même, et montré hors ligne.
add-button = Ajouter le serveur web
add-cookie-help = Ramène un visiteur vers son serveur. Vide : valeur automatique, ajoutée sans rechargement. Une valeur choisie (S3) coûte un rechargement de ce HAProxy ; aucun visiteur n’est déconnecté.
add-out = L’ajouter en maintenance
add-out-help = Il ne reçoit aucun visiteur et n’est pas vérifié tant que vous ne le mettez pas en service.
add-exists = Il existe déjà
add-exists-help = Cordée lui envoie des visiteurs et le surveille, sans le démarrer.
add-name-help = Une lettre, puis des lettres, des chiffres, « - » ou « _ ». C’est le nom que vous verrez partout.
add-open = Ajouter un serveur web
add-start = En démarrer un nouveau sur cette machine
add-start-help = Apache et PHP, avec la même page. Cordée choisit l’adresse et le port.
add-title = Ajouter un serveur web
add-which = Quel serveur ?
field-address = Adresse IP ou nom d’hôte
field-cookie = Cookie
field-name = Nom
field-port = Port

# Outils
clean-button = { $count ->
    [one] Retirer { $count } élément
   *[other] Retirer { $count } éléments
}
clean-foreign-title = Étranger à Cordée
clean-help = Ce qui n’appartient plus à aucun serveur, et pourquoi cela peut partir.
clean-none = Rien à nettoyer
clean-none-help = Chaque fichier appartient à un serveur de la liste.
clean-visitors = Aucun visiteur n’est touché : rien de cela n’est en service.
done-clean = { $count ->
    [one] { $count } élément retiré.
   *[other] { $count } éléments retirés.
}
done-refresh = Tout vient d’être revérifié.
done-refresh-partly = Vérification demandée ; tout n’a pas encore répondu.
done-reload = { $proxy } se recharge ; aucun visiteur n’est déconnecté.
done-reload-db = { $count ->
    [0] HAProxy db se recharge ; aucune connexion n’est ouverte.
    [one] HAProxy db se recharge ; sa connexion ouverte a 10 s pour finir, puis elle est coupée.
   *[other] HAProxy db se recharge ; ses { $count } connexions ouvertes ont 10 s pour finir, puis elles sont coupées.
}
tool-clean = Nettoyer la configuration
tool-clean-help = Montre ce qui reste de serveurs retirés, et pourquoi ; retire après confirmation.
tool-refresh = Rafraîchir
tool-refresh-help = Revérifie tout maintenant, sans attendre. Ne change rien.
tool-reload = Recharger HAProxy
tool-reload-help = Relit la configuration dans un nouveau processus ; l’ancien finit ses visiteurs. Les connexions aux bases ont 10 s pour cela.
tools-title = Outils

# Journal, journaux, test
actor-cli = ligne de commande
actor-cordee = automatique
actor-token = jeton { $name }
journal-help = Qui a fait quoi, et ce qui a changé d’état. Le plus récent d’abord.
journal-newest = Les plus récents
journal-older = Plus anciens
journal-pages = Pages du journal
logs-again = Relire
logs-empty = Ce fichier est vide.
logs-help = Les 200 dernières lignes de chaque fichier, la plus récente d’abord.
logs-hidden = { $count ->
    [one] Montrer { $count } vérification
   *[other] Montrer { $count } vérifications
}
logs-hide = Masquer les vérifications
logs-none = Aucun journal : le serveur n’a encore rien écrit.
logs-none-external = Pas de journaux ici : Cordée n’a pas démarré ce serveur.
logs-title = Journaux de
test-again = Tester de nouveau
test-failed = La connexion échoue à la dernière étape ci-dessous
test-help = Chaque étape avec son temps. La première qui échoue est la dernière montrée.
test-passed = La connexion fonctionne
test-title = Test de connexion de
