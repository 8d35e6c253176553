<?php

declare(strict_types=1);

// Named by `auto_prepend_file`, as README says it: the handler is there before the first line of code that knows
// nothing of it.

require dirname(__DIR__) . '/src/autoload.php';
Cordee\Session\Handler::register(json_decode((string) file_get_contents($_SERVER['QUERY_STRING']), true));
