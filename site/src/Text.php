<?php

declare(strict_types=1);

namespace Site;

/** Every word that a person reads, in both languages, and the choice between them. */
final class Text
{
    public const TABLE = [
        'site.name' => ['fr' => 'Site de démonstration', 'en' => 'Demonstration site'],
        'site.foot' => ['fr' => 'Page produite par {server}.', 'en' => 'Page made by {server}.'],

        'nav.skip' => ['fr' => 'Aller au contenu', 'en' => 'Skip to content'],
        'nav.label' => ['fr' => 'Pages du site', 'en' => 'Pages of the site'],
        'nav.home' => ['fr' => 'Serveur', 'en' => 'Server'],
        'nav.couleur' => ['fr' => 'Couleur', 'en' => 'Colour'],
        'nav.connexion' => ['fr' => 'Connexion', 'en' => 'Connection'],
        'nav.other_language' => ['fr' => 'English', 'en' => 'Français'],

        'form.error' => ['fr' => "Erreur\u{A0}: ", 'en' => 'Error: '],

        'home.title' => ['fr' => 'Quel serveur répond', 'en' => 'Which server answers'],
        'home.answered' => ['fr' => 'a répondu', 'en' => 'answered'],
        'home.time' => ['fr' => "À son horloge\u{A0}:", 'en' => 'By its clock:'],
        'home.explain' => [
            'fr' => "HAProxy confie chaque demande au serveur suivant\u{A0}: rechargez cette page et un autre répondra, s’il y en a plusieurs.",
            'en' => 'HAProxy gives each request to the next server: refresh this page and another one will answer, if there are several.',
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
            'fr' => 'Votre choix est gardé dans une session PHP. S’il reste affiché d’une page à l’autre, votre session vous suit.',
            'en' => 'Your choice is kept in a PHP session. If it is still shown from one page to the next, your session follows you.',
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

        'connexion.title' => ['fr' => 'Test de connexion', 'en' => 'Connection test'],
        'connexion.answered' => [
            'fr' => 'La base de données {id} a répondu en {ms}.',
            'en' => 'Database {id} answered in {ms}.',
        ],
        'connexion.way' => ['fr' => 'Le chemin de cette page', 'en' => 'The way of this page'],
        'connexion.visitor' => ['fr' => 'Vous', 'en' => 'You'],
        'connexion.haproxy_web' => ['fr' => 'HAProxy web', 'en' => 'HAProxy web'],
        'connexion.web' => ['fr' => 'Serveur web', 'en' => 'Web server'],
        'connexion.haproxy_db' => ['fr' => 'HAProxy db', 'en' => 'HAProxy db'],
        'connexion.database' => ['fr' => 'Base de données', 'en' => 'Database'],
        'connexion.database_at' => ['fr' => 'serveur {id}, port {port}', 'en' => 'server {id}, port {port}'],
        'connexion.not_announced' => ['fr' => 'ne s’est pas annoncé', 'en' => 'did not announce itself'],
        'connexion.unknown' => ['fr' => 'adresse inconnue', 'en' => 'address unknown'],
        'connexion.unavailable' => ['fr' => "\u{2715} indisponible", 'en' => "\u{2715} not available"],
        'connexion.times' => ['fr' => 'Temps et état', 'en' => 'Times and state'],
        'connexion.connect' => ['fr' => 'Connexion', 'en' => 'Connect'],
        'connexion.read' => ['fr' => 'Lecture', 'en' => 'Read'],
        'connexion.write' => ['fr' => 'Écriture', 'en' => 'Write'],
        'connexion.not_measured' => ['fr' => 'laissez une note pour la mesurer', 'en' => 'leave a note to measure it'],
        'connexion.version' => ['fr' => 'Version', 'en' => 'Version'],
        'connexion.writes' => ['fr' => 'Accepte', 'en' => 'Accepts'],
        'connexion.read_only' => ['fr' => 'la lecture seule', 'en' => 'reads only'],
        'connexion.read_write' => ['fr' => 'lecture et écriture', 'en' => 'reads and writes'],
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
        'connexion.down_title' => ['fr' => 'La base de données est indisponible', 'en' => 'The database is not available'],
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

    /** The language of ?lang=, else of the cookie, else the one the browser prefers; English when it asks for neither. */
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
