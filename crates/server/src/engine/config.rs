//! HAProxy's file as wished, compared with the file on disk and with what the process runs.

use cordee_domain::haproxy::drift::{self, FileView};
use cordee_domain::ids::PoolId;
use cordee_domain::scene::Scene;
use cordee_domain::text;
use cordee_domain::text::Thing;
use cordee_node::by_hand;
use cordee_node::clock::now;
use tokio::sync::oneshot;

use crate::store::Store;

use super::Engine;

/// Writes into the journal, before a file is replaced, that it was changed by hand and where the copy is kept.
pub(super) fn tell_kept(store: &Store, proxy: PoolId, file: &str) {
    let text = text!("config-overwritten", proxy = Thing::Proxy(proxy), file = file);
    store.tell(&format!("haproxy-{proxy}"), None, &text);
    store.write_down();
}

impl Engine {
    /// Compares the wished file with the file on disk and with the process.
    pub(super) fn config(&mut self, proxy: PoolId, reply: oneshot::Sender<Box<FileView>>) {
        let (parts, observed) = (self.parts.clone(), self.observed.clone());
        self.work.spawn_blocking(move || {
            let last = by_hand::last(&parts.machine.home, proxy);
            let desired = parts.board.desired();
            let view =
                drift::view(Scene::new(&desired, &observed, now()), &parts.machine.setting, proxy, last);
            // The reader may be gone; that is no error.
            let _ = reply.send(Box::new(view));
        });
    }
}
