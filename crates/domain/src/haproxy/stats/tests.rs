use super::*;
use crate::db::failover::tests::scene::listed;

const INFO: &str = "Pid: 7\nUptime_sec: 1\nMaxconn: 9\nHard_maxconn: 9\nConnRateLimit: 0\nSessRateLimit: 0\n\
    SslRateLimit: 0\n";
const STAT: &str = "\
    # pxname,svname,status,scur,slim,stot,rate,req_rate,req_tot,ereq,lastchg,check_status,check_code,\
    check_duration,last_chk,check_rise,check_fall,check_health,cookie\n\
    db,db1,MAINT,0,,9,,,,,5,L4OK,,0,,1,2,2,\n\
    db,no.database,no check,0,,9171,,,,,15,,,,,,,,\n\
    db,BACKEND,UP,0,,9,,,,,15,,,,,,,,\n\
    db_writer,no.database,no check,0,,0,,,,,15,,,,,,,,\n\
    db_writer,BACKEND,UP,0,,0,,,,,15,,,,,,,,\n";
const COLUMNS: &str = "1\n# be_name srv_name srv_id srv_addr srv_port srv_admin_state srv_uweight srv_check_state \
    srv_check_port srv_check_addr\n";

fn with(first: &str, second: &str) -> Result<Running, &'static str> {
    let state = format!("{COLUMNS}db db1 1 127.0.0.1 8621 1 100 6 0 -\n{first}\n{second}\n");
    parse(PoolId::Db, INFO, STAT, &state)
}

#[test]
fn the_server_at_which_connections_wait_is_none_of_ours() {
    let line = |backend: &str, rest: &str| format!("{backend} no.database 2147483647 {rest} 0 0 -");
    let there = "127.0.0.1 0 0 1";
    let whole = with(&line("db", there), &line("db_writer", there)).expect("understood");
    assert!(whole.waits);
    assert_eq!(whole.servers.keys().map(ServerName::as_str).collect::<Vec<_>>(), ["db1"]);
    // In maintenance by command, drained, without weight, with another port, or with another address, in either
    // backend.
    for rest in
        ["127.0.0.1 0 1 1", "127.0.0.1 0 8 1", "127.0.0.1 0 0 0", "127.0.0.1 9 0 1", "127.0.0.2 0 0 1"]
    {
        for (first, second) in [(rest, there), (there, rest)] {
            let running = with(&line("db", first), &line("db_writer", second)).expect("understood");
            assert!(!running.waits, "{first} / {second}");
        }
    }
    assert!(!with(&line("db", there), "").expect("understood").waits);
}

#[test]
fn a_backend_that_finds_it_down_brings_its_own_reason_and_time() {
    let check = |code: &str| Check { code: code.to_owned(), ..Check::default() };
    let seen =
        |verdict, since_s, code| RunningServer { verdict, since_s, check: check(code), ..listed(1, false) };
    let mut all = seen(CheckState::Up, 90, "L7OK");
    merge(&mut all, &seen(CheckState::Down, 0, "L4CON"));
    assert_eq!((all.verdict, all.since_s, all.check), (CheckState::Down, 0, check("L4CON")));
    let mut all = seen(CheckState::Down, 90, "L4CON");
    merge(&mut all, &seen(CheckState::Up, 0, "L7OK"));
    assert_eq!((all.verdict, all.since_s, all.check), (CheckState::Down, 90, check("L4CON")));
}
