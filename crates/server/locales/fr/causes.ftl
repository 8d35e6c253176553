# La liste sous le verdict : les causes, et ce qui les répare.

cause-blind = Ne peut rien observer
cause-lost = Son état est incomplet
cause-by = par { $who } à
cause-door-waits = Pas encore de réponse à ses adresses
cause-explains = Touche aussi : { $names }.
cause-no-web = Aucun
cause-room = Peu de place
cause-unwritable = Ne peut pas écrire son état
cli-causes = À traiter
name-alone = { $name }
names-and-more = { $count ->
    [one] { $names } et { $count } autre
   *[other] { $names } et { $count } autres
}
cause-unkept = Cordée n’a plus son gardien
reason-unkept = Personne ne la relancerait si elle s’arrêtait.
remedy-anyway = Sortir { $name } quand même
remedy-config = Voir le fichier de { $proxy }
remedy-doctor = « cordee doctor » dit ce qui manque ; Cordée reprend dès que c’est là.
remedy-lost = Remettez-le avant tout redémarrage de Cordée : de là où il a été déplacé, ou tous les fichiers d’état d’une même copie du dossier. « cordee doctor » dit ce qui manque.
remedy-external = { $name } est administré ailleurs : démarrez-le, ou réparez-le, là où il tourne.
remedy-itself = Cordée s’en occupe : rien à faire.
remedy-logs = Journaux de { $name }
remedy-more = { $count ->
    [one] { $count } autre dans le tableau
   *[other] { $count } autres dans le tableau
}
remedy-page = Examiner { $name }
remedy-port = Un autre programme occupe le port { $port } : arrêtez-le, et Cordée démarre { $name }.
remedy-promote = Promouvoir { $name }
remedy-ready = Remettre { $name } en service
remedy-recopy = Recopier { $name }
remedy-reload = Recharger { $proxy }
remedy-remove = Retirer { $name }
remedy-restart = Redémarrer { $name }
remedy-room = Libérez de la place dans { $folder } : Cordée reprend aussitôt.
remedy-socket = Arrêtez le processus { $pid } (kill { $pid }) : Cordée le relance aussitôt.
remedy-start = Démarrer { $name }
remedy-test = Tester { $name }
remedy-thaw = Suspendu par un signal ou un débogueur. Pour qu’il reprenne : kill -CONT { $pids }
remedy-unkept = « cordee up --detach » lui en donne un autre ; le site continue pendant ce temps.
remedy-withdraw = Garder { $name } en service
who-cli = la ligne de commande
who-cordee = Cordée
who-token = le jeton { $name }
