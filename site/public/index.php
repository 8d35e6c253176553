<?php

declare(strict_types=1);

namespace Site;

use Cordee\Session\Conflict;
use Cordee\Session\Unavailable;

// A bare Apache runs PHP without a php.ini, whose built-in default shows errors to visitors.
ini_set('display_errors', '0');
header_remove('X-Powered-By');

// A warning (a session file that cannot be written, for instance) must not end as a page that says "done".
set_error_handler(static function (int $severity, string $message, string $file, int $line): bool {
    $muted = (error_reporting() & $severity) === 0;
    if ($muted || ($severity & (E_DEPRECATED | E_USER_DEPRECATED)) !== 0) {
        return false;
    }
    throw new \ErrorException($message, 0, $severity, $file, $line);
});

$src = dirname(__DIR__) . '/src';

try {
    require $src . '/Text.php';
    require $src . '/Session.php';
    require $src . '/Request.php';
    require $src . '/Response.php';
    require $src . '/layout.php';
    require $src . '/problem.php';
    require $src . '/routes.php';

    $request = Request::fromGlobals();
    rememberLanguage($request);
    try {
        $response = answer($request);
    } catch (Unavailable | Conflict $failure) {
        $response = sessionAway($request, $failure);
    } catch (\Throwable $error) {
        logError($error);
        $response = problem($request, 500);
    }
    $response->send($request);
} catch (\Throwable $error) {
    // Reached only when the page about the error fails too: nothing of the site can be relied on here.
    error_log('site: ' . $error::class . ' at ' . basename($error->getFile()) . ':' . $error->getLine());
    if (!headers_sent()) {
        http_response_code(500);
        header('Content-Type: text/plain; charset=utf-8');
        header('Cache-Control: no-store');
    }
    echo "500\n";
}
