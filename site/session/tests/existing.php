<?php

// Code that is there already: it begins its sessions as phpMyAdmin 5.2 does, and knows nothing of the handler.

ini_set('session.use_cookies', '1');
ini_set('session.use_only_cookies', '1');
ini_set('session.use_strict_mode', '1');
ini_set('session.use_trans_sid', '0');
ini_set('session.gc_probability', '1');
ini_set('session.gc_divisor', '1');
session_set_cookie_params(['lifetime' => 0, 'path' => '/existing', 'httponly' => true, 'samesite' => 'Strict']);
session_cache_limiter('private');
session_name('existing');
session_start();
$_SESSION['seen'] = ($_SESSION['seen'] ?? 0) + 1;
if (isset($_COOKIE['renew'])) {
    session_regenerate_id(true);
}
echo $_SESSION['seen'];
