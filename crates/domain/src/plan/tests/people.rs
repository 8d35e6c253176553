//! Random requests of people.

use super::*;

/// Completes a random request as if a person made it now, about the database that has that name now.
pub(super) fn asked(mut request: Request, desired: &Desired, now: u64) -> Request {
    match &mut request {
        Request::Promote { at, .. } => *at = now,
        Request::Recopy { name, id } => *id = desired.db.server(name).map_or(0, |s| s.id),
        _ => {}
    }
    request
}

/// Reports whether the request may lose acknowledged writes.
pub(super) const fn loses(request: &Request) -> bool {
    matches!(
        request,
        Request::Promote { accept_loss: true, .. } | Request::SetRouting { routing: Routing::AllWriters }
    )
}

pub(super) fn server_name() -> impl Strategy<Value = ServerName> {
    prop_oneof![Just("web1"), Just("web2"), Just("web3"), Just("web4"), Just("db1"), Just("db2"), Just("db4")]
        .prop_map(name)
}

pub(super) fn pool_of(name: &ServerName) -> PoolId {
    if name.as_str().starts_with("db") { PoolId::Db } else { PoolId::Web }
}

pub(super) fn change() -> impl Strategy<Value = Request> {
    let join = (4_u16..7, any::<bool>()).prop_map(|(n, ours)| Request::AddServer {
        pool: PoolId::Db,
        server: NewServer {
            name: name(&format!("db{n}")),
            host: Host::parse("127.0.0.1").expect("a host"),
            port: PortChoice::Given(8690 + n),
            cookie: CookieChoice::Automatic,
            runtime: if ours { Runtime::Process } else { Runtime::External },
            admin: Admin::Ready,
        },
    });
    let add = (server_name(), 1_u16..5, proptest::option::of(1_u8..4), any::<bool>(), any::<bool>());
    prop_oneof![
        3 => add.prop_map(|(name, n, cookie, start, by_name)| Request::AddServer {
            pool: PoolId::Web,
            server: NewServer {
                name,
                host: Host::parse(if by_name { "host.lan" } else { "10.0.0.1" }).expect("a host"),
                port: PortChoice::Given(if start { 8650 + n } else { 80 + n }),
                cookie: cookie.map_or(CookieChoice::Automatic, |c| {
                    CookieChoice::Chosen(Cookie::parse(&format!("C{c}")).expect("a cookie"))
                }),
                runtime: if start { Runtime::Process } else { Runtime::External },
                admin: Admin::Ready,
            },
        }),
        2 => join,
        2 => (server_name(), any::<bool>()).prop_map(|(n, force)| {
            // A forced removal of a web server is decided elsewhere; what is forced here is the removal of the last
            // standby.
            let pool = pool_of(&n);
            Request::RemoveServer { pool, name: n, force: force && pool == PoolId::Db }
        }),
        2 => (server_name(), prop_oneof![Just(Admin::Ready), Just(Admin::Drain), Just(Admin::Maintenance)])
            .prop_map(|(n, admin)| Request::SetAdmin { pool: pool_of(&n), name: n, admin, force: false }),
        2 => (server_name(), any::<bool>()).prop_map(|(n, on)| Request::SetPower {
            pool: pool_of(&n),
            name: n,
            power: if on { Power::On } else { Power::Off },
            force: false,
        }),
        2 => server_name().prop_map(|n| Request::Restart { pool: pool_of(&n), name: n, force: false }),
        1 => prop_oneof![Just(PoolId::Web), Just(PoolId::Db)].prop_map(|proxy| Request::Reload { proxy }),
        1 => prop_oneof![Just(Routing::OneWriter), Just(Routing::AllWriters)]
            .prop_map(|routing| Request::SetRouting { routing }),
        1 => prop_oneof![Just(Mode::Proxy), Just(Mode::Database)].prop_map(|mode| Request::SetSession { mode }),
        1 => any::<bool>().prop_map(|shorten| {
            let trusted = crate::visitors::Network::parse("10.0.0.0/8").into_iter().filter(|_| shorten);
            Request::SetKeeping { days: 7, shorten, trusted: trusted.collect() }
        }),
        1 => server_name().prop_map(|name| Request::Withdraw { name }),
        1 => server_name().prop_map(|name| Request::Insist { name }),
        1 => server_name().prop_map(|name| Request::Recopy { name, id: 0 }),
        2 => (server_name(), 0_u8..6).prop_map(|(name, loss)| {
            Request::Promote { name, at: 0, accept_loss: loss == 0 }
        }),
    ]
}

pub(super) fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![
        Just(Hand::Pause),
        Just(Hand::Shut),
        Just(Hand::Frontend),
        Just(Hand::Bound),
        Just(Hand::Rate),
        Just(Hand::Weight),
        Just(Hand::State),
        Just(Hand::Most),
        Just(Hand::Wait),
        Just(Hand::Address),
        Just(Hand::Uncheck),
        Just(Hand::Elsewhere),
        Just(Hand::Reload),
    ]
}

/// Makes every other happening a request about the databases: what takes several of these is too rare among all
/// possible requests.
pub(super) fn of_databases(other: impl Strategy<Value = Happening>) -> impl Strategy<Value = Happening> {
    let one = || prop_oneof![Just("db1"), Just("db2"), Just("db4")].prop_map(name);
    let power = (one(), any::<bool>()).prop_map(|(name, on)| {
        let power = if on { Power::On } else { Power::Off };
        Request::SetPower { pool: PoolId::Db, name, power, force: true }
    });
    let add = any::<bool>().prop_map(|ours| Request::AddServer {
        pool: PoolId::Db,
        server: NewServer {
            name: name("db4"),
            host: Host::parse("127.0.0.1").expect("a host"),
            port: PortChoice::Given(8694),
            cookie: CookieChoice::Automatic,
            runtime: if ours { Runtime::Process } else { Runtime::External },
            admin: Admin::Ready,
        },
    });
    let asked = prop_oneof![
        2 => Just(Request::SetRouting { routing: Routing::AllWriters }),
        2 => Just(Request::SetRouting { routing: Routing::OneWriter }),
        2 => add,
        1 => power,
        1 => (one(), 0_u8..4).prop_map(|(name, loss)| Request::Promote { name, at: 0, accept_loss: loss == 0 }),
        1 => one().prop_map(|name| Request::RemoveServer { pool: PoolId::Db, name, force: true }),
    ];
    prop_oneof![1 => asked.prop_map(Happening::Wish), 3 => other]
}
