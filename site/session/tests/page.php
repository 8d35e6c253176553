<?php

declare(strict_types=1);

// The page of the case "what a browser gets": how README says that a site uses the handler.

use Cordee\Session\Handler;
use Cordee\Session\Unavailable;

require dirname(__DIR__) . '/src/autoload.php';

if ($_SERVER['REQUEST_URI'] === '/ready') {
    exit('ready');
}
$config = json_decode((string) file_get_contents($_SERVER['QUERY_STRING']), true);
try {
    Handler::start($config, 'page_sid');
    $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
    $body = (string) $_SESSION['n'];
    session_write_close();
} catch (Unavailable) {
    http_response_code(503);
    header('Retry-After: 1');
    $body = 'later';
}
echo $body;
