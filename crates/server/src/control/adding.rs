//! Adds a server: a web server, a database that Cordée starts, or a database that exists already.
//!
//! One deadline covers everything that has to be asked first. The wish itself is not abandoned half-way: once its
//! storing has begun, it is waited for.

use cordee_domain::change::{NewServer, RawServer, Request};
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::vault::Login;
use tokio::time::{Instant, timeout_at};

use super::act::{Account, ExaminedWord, Newcomer};
use super::guest::{Invited, at, guest};
use super::{Control, Declined, Done, ENGINE_DEADLINE, Effect, Who, blocking, soon};
use crate::board::{Ask, JoinPlan};

/// A server that may be added: everything that had to be asked was asked.
struct Ready {
    pool: PoolId,
    new: NewServer,
    /// For a database that exists already: the id that it was examined for, and its account.
    login: Option<(u32, Login)>,
}

/// A database that exists already, after it was examined.
#[derive(Debug)]
pub struct Examined {
    /// What would be added.
    pub invited: Invited,
    /// How it would get its data.
    pub plan: JoinPlan,
}

impl Control<'_> {
    /// Adds the server, and waits for the effect as long as the caller wants.
    pub(super) async fn add(self, newcomer: Newcomer, who: Who) -> Result<Done, Declined> {
        let deadline = soon();
        let Ready { pool, new, login } = match newcomer {
            Newcomer::Typed { pool, raw, login } => self.prepare(pool, raw, login, deadline).await?,
            Newcomer::Examined(ExaminedWord(word)) => {
                let late = || Problem::conflict("", text!("problem-invited-late"));
                let Invited { new, id, login } = self.guests.take(&word).ok_or_else(late)?;
                Ready { pool: PoolId::Db, new, login: Some((id, login)) }
            }
        };
        // Checked again: a drill may have begun while the databases were asked.
        self.undisturbed()?;
        let name = new.name.clone();
        let request = Request::AddServer { pool, server: new };
        let says = request.sentence();
        let (store, change, actor) = (self.store.clone(), request.clone(), who.actor);
        let written = move || {
            let login = login.as_ref().map(|(id, login)| (*id, login));
            store.commit_with(&change, &actor, login)
        };
        let desired = blocking(written).await?;
        let real = self.effect(request, desired.revision, who.wait).await;
        let revision = desired.revision;
        Ok(Done { revision, effect: Effect::Added { says, name, desired: Box::new(desired), real } })
    }

    async fn prepare(
        self,
        pool: PoolId,
        raw: RawServer,
        login: Account,
        deadline: Instant,
    ) -> Result<Ready, Declined> {
        if pool == PoolId::Db && !raw.start {
            let Examined { invited: Invited { new, id, login }, .. } =
                self.examined(&raw, login, deadline).await?;
            return Ok(Ready { pool, new, login: Some((id, login)) });
        }
        if login.user.is_some() || login.password.is_some() {
            return Err(Problem::invalid("user", text!("problem-login-nobody")).into());
        }
        if pool == PoolId::Db {
            self.look(Ask::Join, deadline).await?.map_err(Declined::Unready)?;
        }
        let store = self.store.clone();
        let read = timeout_at(deadline, blocking(move || store.new_server(&raw))).await;
        let new = read.map_err(|_| Declined::Slow(ENGINE_DEADLINE.as_secs()))??;
        Ok(Ready { pool, new, login: None })
    }

    /// Asks a database that exists already whether it could join, and how. Nothing is changed. The result includes
    /// what the wish says against it.
    pub async fn examine(self, raw: &RawServer, login: Account) -> Result<Examined, Declined> {
        self.examined(raw, login, soon()).await
    }

    async fn examined(
        self,
        raw: &RawServer,
        Account { user, password }: Account,
        deadline: Instant,
    ) -> Result<Examined, Declined> {
        let login = (user.unwrap_or_default(), password.unwrap_or_default());
        let (new, guest) = guest(raw, &login).map_err(Declined::Refused)?;
        let login = guest.login.clone();
        let found = self.look(|reply| Ask::Invite { guest, reply }, deadline).await?;
        let plan = found.map_err(Declined::Refused)?;
        let new = at(new, &plan);
        let request = Request::AddServer { pool: PoolId::Db, server: new.clone() };
        self.board.desired().apply(&request).map_err(Declined::Refused)?;
        Ok(Examined { invited: Invited { new, id: plan.id, login }, plan })
    }
}
