<?php

declare(strict_types=1);

namespace Site;

$src = dirname(__DIR__) . '/src';
foreach (['Text', 'Session', 'Request', 'Response', 'Colour', 'Person', 'Note', 'Database', 'layout'] as $file) {
    require "$src/$file.php";
}

$passed = 0;
$failed = 0;
$check = static function (string $what, mixed $expected, mixed $actual) use (&$passed, &$failed): void {
    if ($expected === $actual) {
        $passed++;

        return;
    }
    $failed++;
    echo "FAILED $what: expected " . var_export($expected, true) . ', got ' . var_export($actual, true) . "\n";
};
$throws = static function (callable $act): string {
    try {
        $act();
    } catch (\Throwable $error) {
        return $error::class;
    }

    return 'nothing';
};

// Text: each key says something in both languages, with the same {names}.
foreach (Text::TABLE as $key => $texts) {
    $check("$key has both languages", ['fr', 'en'], array_keys($texts));
    $names = [];
    foreach ($texts as $lang => $text) {
        $check("$key says something in $lang", true, trim($text) !== '');
        preg_match_all('/\{\w+\}/', $text, $found);
        sort($found[0]);
        $names[$lang] = $found[0];
    }
    $check("$key has the same names in both languages", $names['fr'], $names['en']);
    $check("$key has no breaking space before a French sign", 0, preg_match('/ [:;?!]/', $texts['fr']));
}
// Every key written in the sources exists, and no key of the table is left over.
$code = '';
foreach (glob("$src/*.php") ?: [] as $file) {
    $code .= basename($file) === 'Text.php' ? '' : file_get_contents($file);
}
preg_match_all("/'((?:site|nav|form|home|kept|couleur|compte|connexion|away|problem)\.[a-z_.]+)'/", $code, $used);
foreach (array_unique($used[1]) as $key) {
    $built = str_ends_with($key, '.');
    $check("$key is in the table", true, $built || isset(Text::TABLE[$key]));
}
// Keys put together from a colour, a status, a measure or a mode.
$made = array_map(static fn (string $slug): string => "colour.$slug", [...Colour::ALL, 'aucune']);
foreach ([403, 404, 405, 500] as $status) {
    array_push($made, "problem.$status.title", "problem.$status.text");
}
array_push($made, 'connexion.connect', 'connexion.read', 'connexion.write');
array_push($made, 'kept.proxy', 'kept.database', 'site.proxy', 'site.database');
foreach ($made as $key) {
    $check("$key is in the table", true, isset(Text::TABLE[$key]));
}
$check('no text is left over', [], array_values(array_diff(array_keys(Text::TABLE), $used[1], $made)));
$check('a missing key throws', \OutOfBoundsException::class, $throws(static fn () => (new Text('fr'))('no.such.key')));
$check('an unknown language throws', \InvalidArgumentException::class, $throws(static fn () => new Text('de')));
$check('names are filled in', 'Page made by web1.', (new Text('en'))('site.foot', ['server' => 'web1']));
$check('milliseconds in French', "3,1\u{A0}ms", (new Text('fr'))->ms(3.14));
$check('milliseconds in English', "3.1\u{A0}ms", (new Text('en'))->ms(3.14));

// Language: ?lang=, then the cookie, then the browser's preference, then English.
foreach (
    [
        ['fr', 'en', 'en', 'fr'],
        [null, 'fr', 'en', 'fr'],
        ['de', 'fr', 'en', 'fr'],
        [['fr'], null, '', 'en'],
        [null, 'xx', 'fr', 'fr'],
        [null, null, '', 'en'],
        [null, null, 'de', 'en'],
        [null, null, '*', 'en'],
        [null, null, 'fr-CA', 'fr'],
        [null, null, 'FR', 'fr'],
        [null, null, 'de, fr;q=0.5', 'fr'],
        [null, null, 'fr;q=0.5, en;q=0.9', 'en'],
        [null, null, 'en;q=0.8, fr', 'fr'],
        [null, null, 'fr, en', 'fr'],
        [null, null, 'en, fr', 'en'],
        [null, null, 'fr;q=0', 'en'],
        [null, null, 'french', 'en'],
        [null, null, 'fr;q=oops', 'en'],
    ] as [$query, $cookie, $accept, $expected]
) {
    $check('language of ' . json_encode([$query, $cookie, $accept]), $expected, Text::choose($query, $cookie, $accept));
}

// Colours.
foreach (Colour::ALL as $slug) {
    $check("$slug is a colour", true, Colour::valid($slug));
    $check("$slug is an ASCII slug", 1, preg_match('/^[a-z]+$/D', $slug));
}
foreach (['', 'Rouge', 'rouge ', 'aucune', '-', 'noir', null, 0, true, ['rouge']] as $other) {
    $check('not a colour: ' . json_encode($other), false, Colour::valid($other));
}
$empty = ['couleur' => null, 'servers' => [], 'history' => []];
$check('an empty session', $empty, Colour::state([]));
$check('a session of another shape', $empty, Colour::state(['couleur' => ['x'], 'servers' => 1, 'history' => 'x']));
$state = Colour::count(Colour::count(Colour::count($empty, 'web1'), 'web2'), 'web1');
$check('requests are counted for each server', ['web1' => 2, 'web2' => 1], $state['servers']);
$state = Colour::change(Colour::change($state, 'bleu', 100, 'web1'), 'rose', 200, 'web2');
$check('the last colour is kept', 'rose', $state['couleur']);
$check('the newest change is first', [[200, 'bleu', 'rose', 'web2'], [100, '-', 'bleu', 'web1']], $state['history']);
for ($i = 0; $i < 30; $i++) {
    $state = Colour::change($state, Colour::ALL[$i % 8], $i, 'web1');
}
$check('ten changes are kept', 10, count($state['history']));
$check('the oldest changes go first', 29, $state['history'][0][0]);

// The session id is shown in part only.
$check('a long id', 'abcdef…', Session::shorten('abcdefghijklmnopqrstuvwxyz012345'));
$check('an empty id', '…', Session::shorten(''));

// Which ids are looked for at all, and which mode a request asks for.
foreach (['0123456789abcdefghijkl' => true, str_repeat('A', 256) => true, 'a,b-cdefghijklmnopqrstuvw' => true,
    '' => false,
    '0123456789abcdefghijk' => false, str_repeat('A', 257) => false, "0123456789abcdefghijkl\n" => false,
    '../../../../etc/passwd0000' => false, '0123456789abcdefghij_l' => false] as $id => $ok) {
    $check("an id: $id", $ok, Session::isId((string) $id));
}
$check('an id that is a list', false, Session::isId(['0123456789abcdefghijkl']));
foreach ([
    'database' => 'database', 'proxy' => 'proxy', '' => 'proxy', 'Database' => 'proxy', 'database, proxy' => 'proxy',
] as $header => $mode) {
    $check("the mode of '$header'", $mode, Session::mode($header));
}

// Who is signed in.
$person = Person::enter(['couleur' => 'vert'], 'Ana', 100, 'web1', 'abcdef…');
$check('the colour stays', 'vert', $person['couleur']);
$check('who signed in', ['name' => 'Ana', 'since' => 100, 'server' => 'web1', 'was' => 'abcdef…'], Person::of($person));
$check(
    'another person replaces the first',
    'Zoé',
    Person::of(Person::enter($person, 'Zoé', 200, 'web2', 'ghijkl…'))['name'],
);
foreach ([
    [], ['person' => 'Ana'], ['person' => ['name' => 'Ana']], ['person' => ['since' => '1'] + $person['person']],
] as $other) {
    $check('nobody: ' . json_encode($other), null, Person::of($other));
}
$check('a name of 40 characters', str_repeat('é', 40), Note::clean(str_repeat('é', 40), Person::LONGEST));
$check('a name of 41 characters', null, Note::clean(str_repeat('é', 41), Person::LONGEST));

// Notes.
$check('a note', 'Salut à tous', Note::clean('  Salut à tous '));
$check('a note on several lines becomes one', 'a b c', Note::clean("a\r\n b\t\u{A0}\0c"));
$check('200 characters are taken', str_repeat('é', 200), Note::clean(str_repeat('é', 200)));
$check('201 characters are not', null, Note::clean(str_repeat('é', 201)));
foreach (['', "  \n ", "\xff\xfe", null, ['a']] as $other) {
    $check('no note', null, Note::clean($other));
}
$check('a measured write', 12.5, Note::wrote('12.50'));
foreach (['12', '12.5', '-1.00', '1e3', '123456.00', "1.00\n", '<b>', null, ['1.00']] as $other) {
    $check('no measured write: ' . json_encode($other), null, Note::wrote($other));
}
$check('the visitor announced by HAProxy', '192.0.2.7', Note::forwardedFor('192.0.2.7'));
$check('a visitor who announces another address', '192.0.2.7', Note::forwardedFor('10.0.0.1, 192.0.2.7'));
foreach (['localhost:8080', '[::1]:80', '192.0.2.1', 'example.org'] as $host) {
    $check("a host: $host", $host, Note::host($host));
}
foreach (['', 'a b', '<b>', "a\n", str_repeat('a', 254), null, ['a']] as $other) {
    $check('no host: ' . json_encode($other), null, Note::host($other));
}
$check('an IPv6 visitor', '2001:db8::1', Note::forwardedFor(' 2001:db8::1 '));
foreach (['', 'unknown', '<script>', '1.2.3.4, ', null] as $other) {
    $check('no visitor: ' . json_encode($other), null, Note::forwardedFor($other));
}

// Requests.
$check('a server', 'web-1.local', Request::serverName('web-1.local'));
foreach (['', "web1\r\nX: y", '<b>', str_repeat('a', 65), null, "web1\n"] as $other) {
    $check('no server name: ' . json_encode($other), 'unknown', Request::serverName($other));
}
foreach (
    ['/' => '/', '/couleur?x=1' => '/couleur', '?x' => '/', '' => '/', '//evil' => '//evil',
        'http://h:1/couleur' => '/couleur',
        'http://h' => '/', '/a#b' => '/a'] as $target => $path
) {
    $check("path of '$target'", $path, Request::pathOf($target));
}
foreach ([
    [null, true], ['same-origin', true], ['none', true], ['same-site', false], ['cross-site', false], ['', false],
] as [$site, $ok]) {
    $env = $site === null ? [] : ['HTTP_SEC_FETCH_SITE' => $site];
    $request = new Request('POST', '/couleur', [], [], $env, 'web1', new Text('en'), false, false);
    $check('a form sent from ' . json_encode($site), $ok, $request->isSameOrigin());
}

foreach (
    [['http://here:8080', true], ['https://here:8080', true], ['http://here:8081', false],
        ['http://here:8080.evil', false],
        ['null', false], ['', false]] as [$origin, $ok]
) {
    $env = ['HTTP_ORIGIN' => $origin, 'HTTP_HOST' => 'here:8080'];
    $request = new Request('POST', '/couleur', [], [], $env, 'web1', new Text('en'), false, false);
    $check("a form sent from the page of '$origin'", $ok, $request->isSameOrigin());
    $env['HTTP_SEC_FETCH_SITE'] = 'cross-site';
    $request = new Request('POST', '/couleur', [], [], $env, 'web1', new Text('en'), false, false);
    $check("the browser's own word counts more than '$origin'", false, $request->isSameOrigin());
}

// HTML.
$check('what a visitor wrote is escaped', '&lt;a href=&quot;&apos;&amp;', e('<a href="\'&'));
$html = layout(new Request('GET', '/couleur', [], [], [], 'web1', new Text('fr'), false, false), 'T', '');
$check('the language of the page', true, str_contains($html, '<html lang="fr">'));
$check('one current place', 1, substr_count($html, 'aria-current="page"'));
foreach (['proxy' => 'un fichier sur web1', 'database' => 'une ligne de la base de données'] as $mode => $words) {
    $said = kept(new Request('GET', '/couleur', [], [], [], 'web1', new Text('fr'), false, false, $mode));
    $check(
        "what becomes of a session kept by $mode",
        true,
        str_contains($said, $words) && str_contains($said, "data-mode=\"$mode\""),
    );
}

// The configuration file.
$file = (string) tempnam(sys_get_temp_dir(), 'site');
file_put_contents(
    $file, "host = 127.0.0.1\nport = 3307\nwriter_port = 3308\nuser = site\npassword = \"a;b\$c=(d)!\"\nschema = site\n"
);
$check('a password with signs', 'a;b$c=(d)!', Database::config(['CORDEE_SITE_CONFIG' => $file])['password']);
file_put_contents($file, "host = 127.0.0.1\n");
$check(
    'a missing key',
    \RuntimeException::class,
    $throws(static fn () => Database::config(['CORDEE_SITE_CONFIG' => $file])),
);
unlink($file);
$check(
    'a missing file',
    \RuntimeException::class,
    $throws(static fn () => Database::config(['CORDEE_SITE_CONFIG' => $file])),
);
$check('no setting', \RuntimeException::class, $throws(static fn () => Database::config([])));


// Failures of the database: whether it said no, or said nothing.
$failure = static function (int $code): \PDOException {
    $error = new \PDOException('x');
    $error->errorInfo = ['HY000', $code, 'x'];

    return $error;
};
foreach ([1290 => true, 1146 => true, 4031 => true, 2006 => false, 2013 => false, 0 => false] as $code => $refused) {
    $check("the database refused with $code", $refused, Database::refused($failure($code)));
}
foreach ([2006 => true, 2013 => true, 1927 => true, 1290 => false, 2002 => false, 0 => false] as $code => $lost) {
    $check("a connection was lost with $code", $lost, Database::lost($failure($code)));
}
$check('a warning is no refusal', false, Database::refused(new \ErrorException('x')));

echo "$passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
