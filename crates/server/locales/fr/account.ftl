# Derrière le nom d’une personne : mot de passe, sessions, jetons.

account-menu = Votre compte
account-password = Mot de passe
account-sessions = Sessions
account-tokens = Jetons
ask-revoke = Révoquer le jeton { $name }
ask-revoke-lead = Les programmes qui l’utilisent sont refusés aussitôt, et ce qu’ils sont en train de lire s’arrête.
ask-revoke-more = C’est sans retour : créez-en un autre et donnez-le-leur.
event-password = Mot de passe de { $name } changé ; toutes les sessions sont terminées
event-sessions-ended = { $count ->
    [one] { $count } session terminée
   *[other] { $count } sessions terminées
}
event-token-revoked = Jeton { $name } révoqué
password-again = Le nouveau, une deuxième fois
password-button = Changer le mot de passe
password-changed = Le mot de passe est changé.
password-changed-more = Toutes les autres sessions sont terminées. Les jetons restent : révoquez ceux que quelqu’un d’autre peut connaître.
password-help = Le changer termine toutes vos autres sessions.
password-new = Nouveau mot de passe
password-present = Mot de passe actuel
problem-no-account = Il n’y a pas encore de compte. Créez-le sur la page, avec le code de : cordee setup-code
problem-password-again = Les deux ne sont pas identiques.
problem-password-present = Ce n’est pas le mot de passe actuel.
problem-token-unknown = Aucun jeton ne s’appelle { $name }.
problem-proof = Le cookie de la session ne suffit à aucun changement : votre mot de passe dit que c’est bien vous.
problem-proof-api = Avec la seule session de la page, l’API ne fait que lire. Pour changer quelque chose, utilisez un jeton, ou envoyez le secret du script de la page dans Cordee-Proof, dans les dix minutes qui suivent le mot de passe.
problem-proof-grave = Cet acte demande votre mot de passe, sauf si vous l’avez donné dans les dix dernières minutes.
prove-button = Continuer
prove-noscript = Sans le script de la page, le mot de passe est demandé à chaque changement.
prove-title = Votre mot de passe
session-unknown = inconnu
sessions-address = Adresse
sessions-begun = Connexion
sessions-browser = Navigateur
sessions-end = Terminer
sessions-end-others = Terminer toutes les autres
sessions-help = Vos sessions ouvertes. Une session se termine après 30 minutes sans requête ni page ouverte, et après 12 heures dans tous les cas.
sessions-own = celle-ci
sessions-seen = Dernière requête
token-button = Créer le jeton
token-days = Durée de validité, en jours
token-days-help = 1 à 3650. Vide : jusqu’à ce qu’il soit révoqué.
token-expired = expiré
token-expires = Valable jusqu’au
token-made = Créé
token-name = Nom
token-never-used = jamais
token-new = Nouveau jeton
token-no-end = sans fin
token-once = Copiez-le maintenant : il ne sera plus montré.
token-password-help = Un jeton survit à votre session : le mot de passe est donc demandé.
token-revoke = Révoquer
token-used = Dernier emploi
tokens-help = Les programmes utilisent l’API avec un jeton. Il donne droit à tout ce qu’offre l’API.
tokens-none = Aucun jeton pour l’instant.
