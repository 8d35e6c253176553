use super::*;

fn place(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("OUT_DIR")).join(format!("paths-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn sockets_are_kept_in_a_folder_that_is_proven_ours() {
    let root = place("a-folder-whose-path-leaves-no-room-for-any-socket-below-it");
    let home = Home::open(&root).unwrap();
    assert!(home.run().as_os_str().len() <= RUN_MOST, "{}", home.run().display());
    assert!(own_folder(&home.run()));
    assert_eq!(socket_of(&root), home.socket());
    assert_eq!(Home::open(&root).unwrap().run(), home.run(), "it is remembered");
    home.leave_nothing().unwrap();
    assert!(!home.run().exists());
    // It exists already, made by any user: it is not used.
    let trap = PathBuf::from(format!("/tmp/cordee-{}", home.id));
    std::fs::create_dir(&trap).unwrap();
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o777)).unwrap();
    let again = Home::open(&root).unwrap();
    assert_ne!(again.run(), trap);
    assert!(own_folder(&again.run()));
    again.leave_nothing().unwrap();
    std::fs::remove_dir(&trap).unwrap();
    std::os::unix::fs::symlink("/var", &trap).unwrap();
    assert!(!own_folder(&trap), "a link is no folder");
    std::fs::remove_file(&trap).unwrap();
}

#[test]
fn a_look_makes_no_folder_of_sockets() {
    let root = place("a-folder-whose-path-leaves-no-room-for-sockets-that-was-stopped");
    let home = Home::open(&root).unwrap();
    let text = || std::fs::read_to_string(root.join(whole::IDENTITY)).unwrap();
    let before = text();
    assert_eq!(Home::found(&root).unwrap().unwrap().run(), home.run(), "while it is there");
    home.leave_nothing().unwrap();
    let found = Home::found(&root).unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.run()), (home.id.as_str(), root.join("run")));
    assert_eq!(text(), before);
    assert!(!home.run().exists());
}

#[test]
fn a_copy_finds_nothing_of_the_original_s_and_is_not_taken_over_by_a_look() {
    let root = place("a-folder-whose-path-leaves-no-room-for-sockets-the-original-one");
    let copy = place("a-folder-whose-path-leaves-no-room-for-sockets-a-copy-of-it");
    let original = Home::open(&root).unwrap();
    let text = std::fs::read_to_string(root.join(whole::IDENTITY)).unwrap();
    std::fs::write(copy.join(whole::IDENTITY), &text).unwrap();
    assert_eq!(made_at(&copy), Some(original.root.clone()));
    assert_eq!(socket_of(&copy), copy.join("run/cordee.sock"));
    let found = Home::found(&copy).unwrap().unwrap();
    assert_ne!(found.id, original.id);
    assert_eq!(found.run(), copy.join("run"));
    assert_eq!(std::fs::read_to_string(copy.join(whole::IDENTITY)).unwrap(), text);
    original.leave_nothing().unwrap();
}

#[test]
fn only_a_path_that_every_file_can_name_is_taken() {
    for good in ["/var/lib/cordee", "/srv/a-b_c.d+e@f/1", "/home/ana/Équipe/état"] {
        assert!(plain(Path::new(good)).is_ok(), "{good}");
    }
    for (bad, letter) in [
        ("/my home", ' '),
        ("/a#b", '#'),
        ("/a:b", ':'),
        ("/a%b", '%'),
        ("/a\"b", '"'),
        ("/~", '~'),
        ("/a\nb", '\n'),
        ("/a\\b", '\\'),
        ("/a,b", ','),
    ] {
        let error = plain(Path::new(bad)).unwrap_err();
        assert!(matches!(error, HomeError::Letters { found, .. } if found == letter), "{bad}: {error}");
    }
    let no_text = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/a\xff");
    assert!(plain(Path::new(no_text)).is_err());
}

#[test]
fn folders_and_data_that_the_programs_cannot_use_are_found_out() {
    let home = Home::open(&place("usable")).unwrap();
    let nobody = Users { haproxy: None, apache: None, mariadb: None };
    home.usable_by(&nobody).unwrap();
    std::fs::create_dir_all(home.servers().join("db1/data")).unwrap();
    home.usable_by(&nobody).unwrap();
    let error = home.data_of(us() + 1).unwrap_err();
    assert!(matches!(&error, HomeError::Lost { owner, .. } if *owner == us()), "{error}");
    std::fs::set_permissions(&home.root, std::fs::Permissions::from_mode(0o700)).unwrap();
    let stranger = Some(User { uid: us() + 1, gid: u32::MAX - 1 });
    let error = home.usable_by(&Users { apache: stranger, ..nobody }).unwrap_err();
    assert!(matches!(error, HomeError::Closed { uid, .. } if uid == us() + 1), "{error}");
}

#[test]
fn secrets_that_were_put_back_open_are_closed() {
    let root = place("open");
    let home = Home::open(&root).unwrap();
    std::fs::write(home.secrets(), "{}").unwrap();
    std::fs::set_permissions(home.secrets(), std::fs::Permissions::from_mode(0o644)).unwrap();
    Home::open(&root).unwrap();
    assert_eq!(std::fs::metadata(home.secrets()).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_folder_of_a_version_without_a_roster_is_taken_over_once() {
    let root = place("once");
    let id = Home::open(&root).unwrap().id;
    let file = root.join("cluster.json");
    let text = std::fs::read_to_string(&file).unwrap().replace("\"schema\": 2", "\"schema\": 1");
    std::fs::write(&file, text).unwrap();
    let old = Home::open(&root).unwrap();
    assert_eq!((old.without_roster, &old.id), (true, &id));
    std::fs::create_dir(old.roster()).unwrap();
    assert!(!Home::open(&root).unwrap().without_roster);
    std::fs::remove_dir(old.roster()).unwrap();
    assert!(!Home::open(&root).unwrap().without_roster, "never again");
    old.leave_nothing().unwrap();
}

#[test]
fn what_lies_beside_the_servers_is_nobody_s_whatever_it_is() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = place("beside");
    let home = Home::open(&root).unwrap();
    let servers = home.servers();
    std::fs::create_dir_all(servers.join("db1/data")).unwrap();
    for folder in ["lost+found", "web1.bak", "-x", "a b"] {
        std::fs::create_dir(servers.join(folder)).unwrap();
    }
    for file in ["notes.txt", "web1", "db9"] {
        std::fs::write(servers.join(file), "").unwrap();
    }
    for odd in [&b"\xff\xfe"[..], b"web\xff"] {
        std::fs::write(servers.join(std::ffi::OsStr::from_bytes(odd)), "").unwrap();
    }
    for (link, to) in [("web2", "/etc"), ("web3", "/etc/passwd"), ("web4", "nowhere"), ("db2", "db1")] {
        std::os::unix::fs::symlink(to, servers.join(link)).unwrap();
    }
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, servers.join("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, servers.join("web5"), rustix::fs::FileType::Socket, mode, 0)
        .unwrap();
    let names: Vec<String> =
        home.server_folders().unwrap().iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["db1"]);
    assert!(whole::begun(&root).unwrap(), "db1 has data");
    home.data_of(us()).unwrap();
    std::fs::remove_dir_all(servers.join("db1")).unwrap();
    std::fs::remove_file(root.join(whole::COMPLETE)).unwrap_or_default();
    assert!(!whole::begun(&root).unwrap());
    home.leave_nothing().unwrap();
}
