<?php

declare(strict_types=1);

// For sites without Composer: `require '…/session/src/autoload.php';`
spl_autoload_register(static function (string $class): void {
    $prefix = 'Cordee\\Session\\';
    if (
        str_starts_with($class, $prefix) && preg_match('/^[A-Za-z]+$/D', $name = substr($class, strlen($prefix))) === 1
    ) {
        $file = __DIR__ . '/' . $name . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
