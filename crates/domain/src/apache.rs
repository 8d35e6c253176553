//! Apache's configuration: one instance, one folder, nothing shared with another.

use std::path::Path;

/// Where one Apache lives.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// The name that the site shows.
    pub name: &'a str,
    /// TCP port, on loopback.
    pub port: u16,
    /// Its folder.
    pub home: &'a Path,
    /// The site's configuration (database account), outside the document root.
    pub site_config: &'a Path,
}

/// Workers of one instance; HAProxy's `maxconn` for a server stays below it.
pub const WORKERS: u32 = 64;

/// Renders the file.
///
/// No `KeepAlive`: with prefork a kept connection holds a whole worker, and after a restart the few that exist are
/// soon all held (slowest request of the end-to-end test that kills it: 1.2 to 2.0 s with a keep-alive of 2 s,
/// 0.5 s without). Each of the runtime files is the
/// instance's own: Apache would otherwise refuse to start beside another, with exit code 0.
pub fn render(instance: &Instance<'_>) -> String {
    let Instance { name, port, home, site_config } = instance;
    let home = home.display();
    let modules = [
        ("mpm_prefork", "mod_mpm_prefork.so"),
        ("authz_core", "mod_authz_core.so"),
        ("dir", "mod_dir.so"),
        ("env", "mod_env.so"),
        ("mime", "mod_mime.so"),
        ("reqtimeout", "mod_reqtimeout.so"),
        ("php", "libphp8.2.so"),
    ]
    .map(|(module, file)| format!("LoadModule {module}_module /usr/lib/apache2/modules/{file}\n"))
    .concat();
    format!(
        "# Written by Cordée at each start of this server.\n\
         ServerRoot \"{home}\"\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n{modules}\
         PidFile \"{home}/run/apache.pid\"\nDefaultRuntimeDir \"{home}/run\"\nScoreBoardFile \"{home}/run/scoreboard\"\n\
         Mutex file:{home}/run default\nErrorLog \"{home}/log/error.log\"\n\
         LogFormat \"%{{%Y-%m-%dT%H:%M:%SZ}}t %a %>s %D \\\"%r\\\"\" cordee\nCustomLog \"{home}/log/access.log\" cordee\n\
         StartServers 8\nMinSpareServers 8\nMaxSpareServers 24\nServerLimit {WORKERS}\nMaxRequestWorkers {WORKERS}\n\
         MaxConnectionsPerChild 0\nKeepAlive Off\nTimeout 30\n\
         RequestReadTimeout header=10 body=20\nGracefulShutdownTimeout 5\n\
         ServerTokens Prod\nServerSignature Off\nTraceEnable Off\nTypesConfig /etc/mime.types\n\
         DocumentRoot \"{home}/site/public\"\n<Directory />\n    Require all denied\n    AllowOverride None\n</Directory>\n\
         <Directory \"{home}/site/public\">\n    Require all granted\n    DirectoryIndex index.php\n    \
         FallbackResource /index.php\n</Directory>\n\
         <FilesMatch \"\\.php$\">\n    SetHandler application/x-httpd-php\n</FilesMatch>\n\
         SetEnv CORDEE_SERVER {name}\nSetEnv CORDEE_ADDRESS 127.0.0.1:{port}\nSetEnv CORDEE_SITE_CONFIG \"{}\"\n\
         php_admin_value session.save_path \"{home}/sessions\"\n\
         php_admin_value session.use_strict_mode 1\nphp_admin_value session.use_only_cookies 1\n\
         php_admin_value date.timezone UTC\nphp_admin_value error_log \"{home}/log/php.log\"\n\
         php_admin_flag display_errors off\nphp_admin_flag log_errors on\nphp_admin_flag expose_php off\n\
         php_admin_value upload_tmp_dir \"{home}/tmp\"\nphp_admin_value sys_temp_dir \"{home}/tmp\"\n",
        site_config.display(),
    )
}
