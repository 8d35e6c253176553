//! Apache's configuration: one instance in one folder, which shares nothing with another instance.

use std::path::Path;

/// An Apache instance.
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

/// The logs that an instance opens itself, in the folder `log`.
pub const LOGS: [&str; 3] = ["access.log", "error.log", "php.log"];

/// The end of a line in `access.log` for a request of HAProxy's or Cordée's own: sent with the host name of
/// `cordee-check`, or to the site's address as a visitor would.
const OURS: [&str; 2] = [" check", " door"];

/// Whether a line of `access.log` is such a request with a successful answer. Failed ones are kept, because they say
/// why the server is down. A visitor can use the same host name, but hides only requests for the plain first page with
/// it; Apache writes a quotation mark in the requested address as `\"`, so it cannot imitate the end of the field.
pub fn is_check(line: &str) -> bool {
    let asked = OURS.iter().find_map(|whose| line.strip_suffix(whose));
    // The third word is the status.
    let well = line.split(' ').nth(2).is_some_and(|status| status.starts_with(['2', '3']));
    well && asked
        .is_some_and(|l| [" \"GET / HTTP/1.1\"", " \"HEAD / HTTP/1.1\""].iter().any(|page| l.ends_with(page)))
}

/// Those of the logs that the instance holds open; PHP opens its own log for each line.
pub const HELD: [&str; 2] = ["access.log", "error.log"];

/// The instance's folders in which programs of its user may write.
pub const WRITABLE: [&str; 3] = ["run", "tmp", "sessions"];

/// The workers of one instance. HAProxy's `maxconn` for a server is lower.
pub const WORKERS: u64 = crate::figures::WORKERS;

/// Renders the file.
///
/// No `KeepAlive`: with prefork a kept connection occupies a whole worker, and after a restart the few workers that
/// exist are soon all occupied (slowest request of the end-to-end test that kills it: 1.2 to 2.0 s with a keep-alive
/// of 2 s, 0.5 s without). Each instance has its own runtime files: otherwise Apache would refuse to start beside
/// another instance, with exit code 0.
///
/// No `ScoreBoardFile`: with one, Apache keeps its scoreboard in `/dev/shm` under a name that is derived from the
/// path, and does not start while any other program has that name. Without one, the scoreboard is memory without a
/// name.
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
        ("setenvif", "mod_setenvif.so"),
        ("php", "libphp8.2.so"),
    ]
    .map(|(module, file)| format!("LoadModule {module}_module /usr/lib/apache2/modules/{file}\n"))
    .concat();
    // No address leads to these folders; if one did, files in them would still be served as data only.
    let inert = WRITABLE
        .map(|own| {
            format!(
                "<Directory \"{home}/{own}\">\n    SetHandler none\n    php_admin_flag engine off\n</Directory>\n"
            )
        })
        .concat();
    format!(
        "# Written by Cordée at each start of this server.\n\
         ServerRoot \"{home}\"\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n{modules}\
         PidFile \"{home}/run/apache.pid\"\nDefaultRuntimeDir \"{home}/run\"\n\
         Mutex file:{home}/run default\nErrorLog \"{home}/log/error.log\"\n\
         SetEnvIf Host ^cordee-check$ CORDEE_ASKS=check\nSetEnvIf User-Agent ^Cordee-Door/ CORDEE_ASKS=door\n\
         LogFormat \"%{{%Y-%m-%dT%H:%M:%SZ}}t %a %>s %D \\\"%r\\\" %{{CORDEE_ASKS}}e\" cordee\n\
         CustomLog \"{home}/log/access.log\" cordee\n\
         StartServers 8\nMinSpareServers 8\nMaxSpareServers 24\nServerLimit {WORKERS}\nMaxRequestWorkers {WORKERS}\n\
         MaxConnectionsPerChild 0\nKeepAlive Off\nTimeout 30\n\
         RequestReadTimeout header={head} body={body}\nGracefulShutdownTimeout {grace}\n\
         ServerTokens Prod\nServerSignature Off\nTraceEnable Off\nTypesConfig /etc/mime.types\n\
         DocumentRoot \"{home}/site/public\"\n\
         <Directory />\n    Require all denied\n    AllowOverride None\n    Options None\n</Directory>\n\
         <Directory \"{home}/site/public\">\n    Require all granted\n    DirectoryIndex index.php\n    \
         FallbackResource /index.php\n    <FilesMatch \"\\.php$\">\n        SetHandler application/x-httpd-php\n    \
         </FilesMatch>\n</Directory>\n{inert}\
         SetEnv CORDEE_SERVER {name}\nSetEnv CORDEE_ADDRESS 127.0.0.1:{port}\nSetEnv CORDEE_SITE_CONFIG \"{}\"\n\
         php_admin_value session.save_path \"{home}/sessions\"\n\
         php_admin_value session.use_strict_mode 1\nphp_admin_value session.use_only_cookies 1\n\
         php_admin_value date.timezone UTC\nphp_admin_value error_log \"{home}/log/php.log\"\n\
         php_admin_flag display_errors off\nphp_admin_flag log_errors on\nphp_admin_flag expose_php off\n\
         php_admin_value upload_tmp_dir \"{home}/tmp\"\nphp_admin_value sys_temp_dir \"{home}/tmp\"\n",
        site_config.display(),
        head = crate::figures::REQUEST_HEAD / 1_000,
        body = crate::figures::REQUEST_BODY / 1_000,
        grace = crate::figures::GRACE / 1_000,
    )
}

/// The folder in which PHP finds [`php`], and the name of the file there.
pub const PHP: (&str, &str) = ("php", "cordee.ini");

/// Returns the settings that PHP needs before it reads anything of Apache's: where its script cache creates its lock
/// file. By default that is `/tmp`, and no web server starts while `/tmp` is full or not writable.
pub fn php(home: &Path) -> String {
    format!(
        "; Written by Cordée at each start of this server.\nopcache.lockfile_path = \"{}/run\"\n",
        home.display()
    )
}

/// Returns the variable with which PHP finds that folder, after the folders that it knows by default.
pub fn php_folders(home: &Path) -> (&'static str, String) {
    ("PHP_INI_SCAN_DIR", format!(":{}", home.join(PHP.0).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered() -> String {
        let home = Path::new("/h");
        render(&Instance { name: "web1", port: 1, home, site_config: Path::new("/h/site.ini") })
    }

    /// Returns the lines of one folder's section.
    fn section(file: &str, folder: &str) -> String {
        let from = file.split_once(&format!("<Directory \"{folder}\">\n")).expect("a section").1;
        from.split_once("</Directory>").expect("its end").0.to_owned()
    }

    #[test]
    fn only_a_plain_question_of_our_own_is_a_check() {
        let line =
            |asked: &str, whose: &str| format!("2026-11-29T17:00:00Z 127.0.0.1 200 312 \"{asked}\" {whose}");
        for whose in ["check", "door"] {
            assert!(is_check(&line("GET / HTTP/1.1", whose)) && is_check(&line("HEAD / HTTP/1.1", whose)));
            for asked in ["POST / HTTP/1.1", "GET /?q=1 HTTP/1.1", "GET /admin HTTP/1.1", "-"] {
                assert!(
                    !is_check(&line(asked, whose)),
                    "{asked}: whoever uses the name hides nothing with it"
                );
            }
        }
        assert!(!is_check(&line("GET / HTTP/1.1", "-")), "a visitor's");
        assert!(
            !is_check("2026-11-29T17:00:00Z 127.0.0.1 500 312 \"GET / HTTP/1.1\" check"),
            "why it is down"
        );
        assert!(
            !is_check(&line("GET /x\\\" \\\"GET / HTTP/1.1\\\" check HTTP/1.1", "-")),
            "as Apache writes quotation marks"
        );
        assert!(!is_check(&line("GET /x HTTP/1.1\" check", "-")) && !is_check(""));
        assert!(!is_check(line("GET / HTTP/1.1", "").trim_end()), "as it was written before");
        assert!(
            rendered().contains("CORDEE_ASKS=check") && rendered().contains("\\\"%r\\\" %{CORDEE_ASKS}e")
        );
    }

    #[test]
    fn nothing_in_a_folder_of_everybody_s_has_a_name_that_decides() {
        let file = rendered();
        assert!(
            !file.contains("ScoreBoardFile"),
            "it would lie in /dev/shm, under a name that anybody can take"
        );
        let home = Path::new("/h");
        for folder in ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"] {
            assert!(
                !file.contains(&format!("{folder}/")) && !file.contains(&format!("\"{folder}\"")),
                "{folder}"
            );
            assert!(!php(home).contains(&format!("\"{folder}")), "{folder}");
        }
        assert!(php(home).contains("opcache.lockfile_path = \"/h/run\""));
        assert_eq!(php_folders(home).1, ":/h/php", "what the machine has for PHP counts too");
    }

    #[test]
    fn php_runs_in_the_document_root_and_nowhere_else() {
        let file = rendered();
        let handler = "SetHandler application/x-httpd-php";
        assert!(section(&file, "/h/site/public").contains(handler));
        assert_eq!(file.matches(handler).count(), 1, "{file}");
        for own in WRITABLE {
            let lines = section(&file, &format!("/h/{own}"));
            assert!(
                lines.contains("SetHandler none") && lines.contains("php_admin_flag engine off"),
                "{lines}"
            );
            assert!(!format!("/h/{own}").starts_with("/h/site"));
        }
        assert!(!file.contains("Alias"), "no address leads out of the document root");
        assert_eq!(file.matches("AllowOverride").count(), file.matches("AllowOverride None").count());
    }

    #[test]
    fn what_the_configuration_names_to_be_written_is_a_log_or_lies_in_a_writable_folder() {
        let file = rendered();
        for word in file.split(['"', ':', ' ', '\n']).filter(|w| w.starts_with("/h/")) {
            let (first, rest) = word["/h/".len()..].split_once('/').unwrap_or((&word["/h/".len()..], ""));
            let known = match first {
                "site" | "site.ini" => true,
                "log" => LOGS.contains(&rest),
                own => WRITABLE.contains(&own),
            };
            assert!(known, "{word}");
        }
    }
}
