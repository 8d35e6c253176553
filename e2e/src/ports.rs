//! Ports of a cluster's own, out of the way of the defaults and of ports that the kernel hands out.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// First port of the range from which blocks are taken: above the registered servers' ports in use here, below
/// Linux's ephemeral ports (32768), which a client's own connection may hold at any moment.
const FIRST: u16 = 20_000;
const BLOCK: u16 = 32;
const BLOCKS: u16 = 380;

/// A block of ports, held against other tests on this machine for as long as the value lives.
#[derive(Debug)]
pub struct Ports {
    base: u16,
    _lock: File,
}

impl Ports {
    /// Takes a block in which every port is free.
    pub fn take() -> Self {
        let folder = std::env::temp_dir().join("cordee-e2e-ports");
        std::fs::create_dir_all(&folder).expect("folder of port locks");
        let offset = u16::try_from(std::process::id() % u32::from(BLOCKS)).expect("small");
        (0..BLOCKS)
            .map(|n| (n + offset) % BLOCKS)
            .find_map(|block| {
                let lock = File::create(folder.join(block.to_string())).ok()?;
                let base = FIRST + block * BLOCK;
                (lock.try_lock().is_ok() && (base..base + BLOCK).all(free))
                    .then_some(Self { base, _lock: lock })
            })
            .expect("no block of free ports")
    }

    /// The `n`th port of the block.
    pub fn nth(&self, n: u16) -> u16 {
        assert!(n < BLOCK, "a block has {BLOCK} ports");
        self.base + n
    }

    /// From the `n`th to the last port of the block, as `FIRST-LAST`.
    pub fn range_from(&self, n: u16) -> String {
        format!("{}-{}", self.nth(n), self.base + BLOCK - 1)
    }
}

/// Whether nothing listens on the port of 127.0.0.1. The test's own listener is closed at once.
pub fn free(port: u16) -> bool {
    TcpListener::bind(local(port)).is_ok()
}

/// 127.0.0.1 with that port.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
