# L’API
api-refreshed = Tout vient d’être vérifié.
event-cleaned = { $count ->
    [one] {$count} reste supprimé
   *[other] {$count} restes supprimés
}
event-token = Jeton {$name} créé
problem-action-unknown = Cette action n’existe pas. Les actions sont drain, maintenance, ready, restart, stop, start, test et logs.
problem-body-json = Le corps de la requête n’est pas du JSON valide.
problem-body-large = Le corps de la requête dépasse {$kib} Kio.
problem-body-object = Le corps doit être un objet JSON, par exemple {"{"}"name": "web3", "start": true{"}"}.
problem-body-slow = Le corps de la requête n’est pas arrivé à temps.
problem-body-type = Le corps doit être envoyé en application/json.
problem-dsn-account = Le compte est app ou owner.
problem-dsn-server = Cette base de données n’existe pas.
problem-engine-slow = La réponse n’est pas venue en {$seconds} secondes. La demande peut encore aboutir : regardez l’état avant de la répéter.
problem-event-id = Ce n’est pas le numéro d’un événement, qui est un nombre entier.
problem-flag = Indiquez true ou false.
problem-last-healthy = {$name} est le dernier serveur web qui répond : sans lui, les visiteurs n’ont plus rien. Avec force=true, c’est fait quand même.
problem-member-text = Ce doit être une chaîne de caractères.
problem-member-unknown = Ce champ n’existe pas.
problem-method = Cette adresse n’accepte pas cette méthode.
problem-no-logs = {$name} n’a pas été démarré par Cordée : ses journaux sont sur sa propre machine.
problem-not-here = Il n’y a rien à cette adresse.
problem-number = Ce doit être un nombre entier de {$first} à {$last}.
problem-query = La partie de l’adresse qui suit le point d’interrogation est illisible.
problem-token-name = Le nom d’un jeton commence par une lettre et compte au plus 63 lettres, chiffres, traits d’union et tirets bas.
problem-token-taken = Un jeton {$name} existe déjà.

# La ligne de commande
cli-added = {$name} est ajouté à l’adresse {$address} et entre en service dès que sa première vérification réussit.
cli-age-ms = il y a {$ms} ms
cli-age-s = il y a {$seconds} s
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
cli-dsn-host = hôte
cli-dsn-password = mot de passe
cli-dsn-port = port
cli-dsn-schema = schéma
cli-dsn-user = utilisateur
cli-local-only = Cela ne marche que sur la machine où tourne Cordée, sans CORDEE_URL.
cli-never = jamais
cli-setup-used = Le code d’installation a servi : un compte existe. Connectez-vous sur la page.
cli-standby = secours
cli-step-failed = échec
cli-step-ok = réussi
cli-unreachable = Cordée ne répond pas à {$place}. Pour la démarrer : ./up
cli-writer = écriture
