<?php

declare(strict_types=1);

namespace Site;

/** Every word that a person reads, in both languages, and the choice between them. */
final class Text
{
    public const TABLE = [
        'site.name' => ['fr' => 'Site de démonstration', 'en' => 'Demonstration site'],
        'site.foot' => ['fr' => 'Page produite par {server}.', 'en' => 'Page made by {server}.'],

        'site.proxy' => ['fr' => 'Sessions gardées par HAProxy.', 'en' => 'Sessions kept by HAProxy.'],
        'site.database' => [
            'fr' => 'Sessions gardées dans la base de données.', 'en' => 'Sessions kept in the database.',
        ],

        'kept.proxy' => [
            'fr' => "Votre session est un fichier sur {server}\u{A0}: HAProxy vous y ramène à chaque page. "
                . 'Si ce serveur s’arrête, un autre répondra, et cette session n’y sera pas.',
            'en' => 'Your session is a file on {server}: HAProxy brings you back to it for each page. '
                . 'If that server stops, another one answers, and this session will not be there.',
        ],
        'kept.database' => [
            'fr' => "Votre session est une ligne de la base de données\u{A0}: tout serveur peut répondre, "
                . 'et vous la retrouverez si l’un d’eux s’arrête.',
            'en' => 'Your session is a row of the database: any server can answer, '
                . 'and you will find it again if one of them stops.',
        ],

        'nav.skip' => ['fr' => 'Aller au contenu', 'en' => 'Skip to content'],
        'nav.label' => ['fr' => 'Pages du site', 'en' => 'Pages of the site'],
        'nav.home' => ['fr' => 'Serveur', 'en' => 'Server'],
        'nav.couleur' => ['fr' => 'Couleur', 'en' => 'Colour'],
        'nav.compte' => ['fr' => 'Compte', 'en' => 'Account'],
        'nav.connexion' => ['fr' => 'Connexion', 'en' => 'Connection'],
        'nav.other_language' => ['fr' => 'English', 'en' => 'Français'],

        'form.error' => ['fr' => "Erreur\u{A0}: ", 'en' => 'Error: '],

        'home.title' => ['fr' => 'Quel serveur répond', 'en' => 'Which server answers'],
        'home.answered' => ['fr' => 'a répondu', 'en' => 'answered'],
        'home.time' => ['fr' => "À son horloge\u{A0}:", 'en' => 'By its clock:'],
        'home.explain' => [
            'fr' => "HAProxy confie chaque demande au serveur suivant\u{A0}: rechargez cette page et un autre "
                . "répondra, s’il y en a plusieurs.",
            'en' => 'HAProxy gives each request to the next server: refresh this page and another one will answer, if '
                . 'there are several.',
        ],
        'home.again' => ['fr' => 'Recharger', 'en' => 'Refresh'],

        'colour.rouge' => ['fr' => 'rouge', 'en' => 'red'],
        'colour.orange' => ['fr' => 'orange', 'en' => 'orange'],
        'colour.jaune' => ['fr' => 'jaune', 'en' => 'yellow'],
        'colour.vert' => ['fr' => 'vert', 'en' => 'green'],
        'colour.turquoise' => ['fr' => 'turquoise', 'en' => 'turquoise'],
        'colour.bleu' => ['fr' => 'bleu', 'en' => 'blue'],
        'colour.violet' => ['fr' => 'violet', 'en' => 'purple'],
        'colour.rose' => ['fr' => 'rose', 'en' => 'pink'],
        'colour.aucune' => ['fr' => 'aucune', 'en' => 'none'],

        'couleur.title' => ['fr' => 'Couleur préférée', 'en' => 'Favourite colour'],
        'couleur.explain' => [
            'fr' => 'Votre choix est gardé dans une session PHP. S’il reste affiché d’une page à l’autre, votre '
                . 'session vous suit.',
            'en' => 'Your choice is kept in a PHP session. If it is still shown from one page to the next, your '
                . 'session follows you.',
        ],
        'couleur.yours' => ['fr' => 'Votre couleur', 'en' => 'Your colour'],
        'couleur.choose' => ['fr' => 'Choisir une couleur', 'en' => 'Choose a colour'],
        'couleur.refused' => [
            'fr' => 'Choisissez une couleur de cette liste. Rien n’a été changé.',
            'en' => 'Choose a colour from this list. Nothing was changed.',
        ],
        'couleur.save' => ['fr' => 'Garder cette couleur', 'en' => 'Keep this colour'],
        'couleur.session' => ['fr' => 'Votre session', 'en' => 'Your session'],
        'couleur.id' => ['fr' => 'Identifiant', 'en' => 'Identifier'],
        'couleur.server' => ['fr' => 'Serveur', 'en' => 'Server'],
        'couleur.counts' => ['fr' => 'Qui a répondu à cette session', 'en' => 'Who answered this session'],
        'couleur.requests' => ['fr' => 'Demandes', 'en' => 'Requests'],
        'couleur.history' => ['fr' => 'Derniers changements', 'en' => 'Latest changes'],
        'couleur.no_history' => ['fr' => 'Aucun changement dans cette session.', 'en' => 'No change in this session.'],
        'couleur.time' => ['fr' => 'Heure (UTC)', 'en' => 'Time (UTC)'],
        'couleur.from' => ['fr' => 'Avant', 'en' => 'From'],
        'couleur.to' => ['fr' => 'Après', 'en' => 'To'],

        'compte.title' => ['fr' => 'S’identifier, se déconnecter', 'en' => 'Sign in, sign out'],
        'compte.explain' => [
            'fr' => "Ce que devient une session quand quelqu’un s’identifie. Aucun mot de passe\u{A0}: il n’y a rien "
                . "à protéger ici.",
            'en' => 'What becomes of a session when somebody signs in. No password: there is nothing to protect here.',
        ],
        'compte.who' => ['fr' => 'Qui vous êtes', 'en' => 'Who you are'],
        'compte.out' => [
            'fr' => 'Personne n’est identifié dans cette session.', 'en' => 'Nobody is signed in to this session.',
        ],
        'compte.left' => [
            'fr' => 'Vous êtes déconnecté. La session a été supprimée, avec tout ce qu’elle gardait.',
            'en' => 'You are signed out. The session was deleted, with all that it kept.',
        ],
        'compte.name' => ['fr' => 'Votre nom', 'en' => 'Your name'],
        'compte.hint' => [
            'fr' => '40 caractères au plus. Vous seul le verrez.',
            'en' => '40 characters at most. Only you will see it.',
        ],
        'compte.refused' => [
            'fr' => 'Écrivez un nom de 1 à 40 caractères. Rien n’a été changé.',
            'en' => 'Write a name of 1 to 40 characters. Nothing was changed.',
        ],
        'compte.enter' => ['fr' => 'S’identifier', 'en' => 'Sign in'],
        'compte.in' => ['fr' => 'Bonjour {name}', 'en' => 'Hello {name}'],
        'compte.since' => ['fr' => 'Depuis', 'en' => 'Since'],
        'compte.by' => ['fr' => 'Par le serveur', 'en' => 'By server'],
        'compte.leave' => ['fr' => 'Se déconnecter', 'en' => 'Sign out'],
        'compte.final' => [
            'fr' => "La session sera supprimée\u{A0}: l’identifiant qu’avait votre navigateur n’ouvrira plus rien.",
            'en' => 'The session will be deleted: the identifier that your browser had will open nothing any more.',
        ],
        'compte.was' => ['fr' => 'Identifiant d’avant', 'en' => 'Identifier before'],
        'compte.before' => [
            'fr' => 'En vous identifiant, vous recevrez un autre identifiant.',
            'en' => 'When you sign in you get another identifier.',
        ],
        'compte.after' => [
            'fr' => "L’identifiant d’avant ne vaut plus rien\u{A0}: qui l’aurait préparé pour vous n’entre pas dans "
                . "votre session.",
            'en' => 'The identifier before is worth nothing now: whoever prepared it for you does not get into your '
                . 'session.',
        ],

        'connexion.title' => ['fr' => 'Test de connexion', 'en' => 'Connection test'],
        'connexion.answered' => [
            'fr' => 'La base de données {name} a répondu en {ms}.',
            'en' => 'Database {name} answered in {ms}.',
        ],
        'connexion.way' => ['fr' => 'Le chemin de cette page', 'en' => 'The way of this page'],
        'connexion.visitor' => ['fr' => 'Vous', 'en' => 'You'],
        'connexion.haproxy_web' => ['fr' => 'HAProxy web', 'en' => 'HAProxy web'],
        'connexion.web' => ['fr' => 'Serveur web', 'en' => 'Web server'],
        'connexion.haproxy_db' => ['fr' => 'HAProxy db', 'en' => 'HAProxy db'],
        'connexion.database' => ['fr' => 'Base de données', 'en' => 'Database'],
        'connexion.database_at' => ['fr' => '{name}, port {port}', 'en' => '{name}, port {port}'],
        'connexion.asked' => ['fr' => 'demandé à {host}', 'en' => 'asked at {host}'],
        'connexion.from' => ['fr' => "vu d’ici\u{A0}: {address}", 'en' => 'seen from here: {address}'],
        'connexion.spent' => ['fr' => '{ms} jusqu’ici', 'en' => '{ms} until here'],
        'connexion.not_announced' => ['fr' => 'ne s’est pas annoncé', 'en' => 'did not announce itself'],
        'connexion.unknown' => ['fr' => 'adresse inconnue', 'en' => 'address unknown'],
        'connexion.unavailable' => ['fr' => "\u{2715} indisponible", 'en' => "\u{2715} not available"],
        'connexion.times' => ['fr' => 'Temps et sessions', 'en' => 'Times and sessions'],
        'connexion.connect' => ['fr' => 'Connexion', 'en' => 'Connect'],
        'connexion.read' => ['fr' => 'Lecture', 'en' => 'Read'],
        'connexion.write' => ['fr' => 'Écriture', 'en' => 'Write'],
        'connexion.not_measured' => ['fr' => 'laissez une note pour la mesurer', 'en' => 'leave a note to measure it'],
        'connexion.read_only' => ['fr' => "fermée\u{A0}: lecture seule", 'en' => 'closed: reads only'],
        'connexion.read_write' => ['fr' => "ouverte\u{A0}: elle prend les écritures", 'en' => 'open: it takes writes'],
        'connexion.sessions' => ['fr' => 'Sessions', 'en' => 'Sessions'],
        'connexion.sessions_file' => ['fr' => 'un fichier sur {server}', 'en' => 'a file on {server}'],
        'connexion.sessions_row' => [
            'fr' => 'une ligne de {name}, par le port {port}, en {ms}',
            'en' => 'a row of {name}, through port {port}, in {ms}',
        ],
        'connexion.sessions_away' => [
            'fr' => "\u{2715} indisponibles par le port {port}",
            'en' => "\u{2715} not available through port {port}",
        ],
        'connexion.leave' => ['fr' => 'Laisser une note', 'en' => 'Leave a note'],
        'connexion.message' => ['fr' => 'Note', 'en' => 'Note'],
        'connexion.hint' => [
            'fr' => '200 caractères au plus. Tous les visiteurs la verront.',
            'en' => '200 characters at most. Every visitor will see it.',
        ],
        'connexion.refused' => [
            'fr' => 'Écrivez de 1 à 200 caractères. Rien n’a été enregistré.',
            'en' => 'Write 1 to 200 characters. Nothing was saved.',
        ],
        'connexion.send' => ['fr' => 'Enregistrer la note', 'en' => 'Save the note'],
        'connexion.notes' => ['fr' => 'Dernières notes', 'en' => 'Latest notes'],
        'connexion.no_notes' => ['fr' => 'Aucune note pour l’instant.', 'en' => 'No note yet.'],
        'connexion.down_title' => [
            'fr' => 'La base de données est indisponible', 'en' => 'The database is not available',
        ],
        'connexion.down_what' => ['fr' => 'Ce qui se passe', 'en' => 'What is happening'],
        'connexion.down_text' => [
            'fr' => 'Ce serveur web fonctionne, mais il n’a pas pu se servir de la base de données. '
                . 'Les autres pages du site restent ouvertes. Réessayez dans quelques secondes.',
            'en' => 'This web server works, but it could not use the database. '
                . 'The other pages of the site stay open. Try again in a few seconds.',
        ],
        'connexion.not_saved' => ['fr' => 'Votre note n’a pas été enregistrée.', 'en' => 'Your note was not saved.'],
        'connexion.unsure' => [
            'fr' => "Il n’est pas sûr que votre note soit enregistrée\u{A0}: regardez la liste avant de la renvoyer.",
            'en' => 'It is not certain that your note was saved: look at the list before you send it again.',
        ],
        'connexion.retry' => ['fr' => 'Réessayer', 'en' => 'Try again'],

        'away.title' => ['fr' => 'Votre session est hors d’atteinte', 'en' => 'Your session is out of reach'],
        'away.text' => [
            'fr' => "La base de données qui garde les sessions ne répond pas. La vôtre n’a pas été remplacée par une "
                . "session vide\u{A0}: "
                . 'vous la retrouverez dès que la base répondra. Réessayez dans quelques secondes.',
            'en' => 'The database that keeps the sessions does not answer. Yours was not replaced by an empty one: '
                . 'you will find it again as soon as the database answers. Try again in a few seconds.',
        ],
        'away.busy' => [
            'fr' => 'Une autre demande de votre session n’est pas terminée. Réessayez dans quelques secondes.',
            'en' => 'Another request of your session has not ended. Try again in a few seconds.',
        ],
        'away.unchanged' => ['fr' => 'Rien n’a été changé.', 'en' => 'Nothing was changed.'],
        'away.unsure' => [
            'fr' => "Il n’est pas sûr que votre choix ait été gardé\u{A0}: regardez la page avant de le renvoyer.",
            'en' => 'It is not certain that your choice was kept: look at the page before you send it again.',
        ],

        'problem.403.title' => ['fr' => 'Demande refusée', 'en' => 'Request refused'],
        'problem.403.text' => [
            'fr' => 'Ce formulaire a été envoyé depuis un autre site. Rien n’a été changé.',
            'en' => 'This form was sent from another site. Nothing was changed.',
        ],
        'problem.404.title' => ['fr' => 'Page introuvable', 'en' => 'Page not found'],
        'problem.404.text' => [
            'fr' => 'Aucune page de ce site ne porte cette adresse.',
            'en' => 'No page of this site has this address.',
        ],
        'problem.405.title' => ['fr' => 'Méthode refusée', 'en' => 'Method not allowed'],
        'problem.405.text' => [
            'fr' => 'Cette page ne se demande pas de cette façon.',
            'en' => 'This page cannot be asked for in this way.',
        ],
        'problem.500.title' => ['fr' => 'Une erreur est survenue', 'en' => 'Something went wrong'],
        'problem.500.text' => [
            'fr' => 'Ce serveur n’a pas pu produire la page. L’erreur est dans son journal.',
            'en' => 'This server could not make the page. The error is in its log.',
        ],
        'problem.status' => ['fr' => 'Code HTTP {status}', 'en' => 'HTTP status {status}'],
        'problem.home' => ['fr' => 'Aller à la première page', 'en' => 'Go to the first page'],
    ];

    public function __construct(public readonly string $lang)
    {
        if (!self::isLanguage($lang)) {
            throw new \InvalidArgumentException('unknown language');
        }
    }

    /** @param array<string, string> $values for the {names} in the text */
    public function __invoke(string $key, array $values = []): string
    {
        $text = self::TABLE[$key][$this->lang] ?? throw new \OutOfBoundsException("no text for $key");
        $pairs = [];
        foreach ($values as $name => $value) {
            $pairs['{' . $name . '}'] = $value;
        }

        return strtr($text, $pairs);
    }

    /** A duration, with the decimal sign of the language. */
    public function ms(float $ms): string
    {
        return number_format($ms, 1, $this->lang === 'fr' ? ',' : '.', '') . "\u{A0}ms";
    }

    public static function isLanguage(mixed $lang): bool
    {
        return $lang === 'fr' || $lang === 'en';
    }

    /**
     * The language of ?lang=, else of the cookie, else the one the browser prefers; English when it asks for neither.
     */
    public static function choose(mixed $query, mixed $cookie, string $accept): string
    {
        foreach ([$query, $cookie] as $choice) {
            if (self::isLanguage($choice)) {
                return $choice;
            }
        }
        $best = 'en';
        $weight = 0.0;
        foreach (explode(',', strtolower($accept)) as $range) {
            if (preg_match('/^\s*(fr|en)(?:-[a-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*$/D', $range, $m) !== 1) {
                continue;
            }
            $q = (float) ($m[2] ?? '1');
            if ($q > $weight) {
                [$best, $weight] = [$m[1], $q];
            }
        }

        return $best;
    }
}
