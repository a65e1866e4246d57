//! Whose credentials they are, and where.

use std::collections::BTreeMap;

use mq_core::{Error, ErrorKind, Result, Scope};

use crate::config::{Clients, Settings};
use crate::error::Call;
use crate::name::facts;

/// What is known without a call.
pub(crate) fn offline_scope(settings: &Settings) -> Scope {
    let stated = [
        (facts::ACCOUNT, &settings.account),
        (facts::REGION, &settings.region),
    ];
    Scope {
        label: String::new(),
        facts: stated
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect(),
    }
}

/// Asks STS, which answers any valid credentials without a permission, so the ARNs of queues are
/// known before they exist.
pub(crate) async fn identify(clients: &Clients, settings: &Settings) -> Result<Scope> {
    let region = clients.region.as_deref().ok_or_else(|| {
        Error::new(ErrorKind::ConfigInvalid, "no region is known").with_hint(
            "set `region` of the entry under `clouds`, or AWS_REGION, or `region` of the profile",
        )
    })?;
    let answer = clients
        .sts
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| Call::on_account("GetCallerIdentity", clients).failed(error))?;
    let account = answer.account().unwrap_or_default();
    if account.is_empty() {
        return Err(
            Error::new(ErrorKind::Unexpected, "the answer names no account")
                .with_operation("GetCallerIdentity"),
        );
    }
    if let Some(stated) = settings
        .account
        .as_deref()
        .filter(|stated| *stated != account)
    {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("the credentials are of the account {account}, and the file says {stated}"),
        )
        .with_operation("GetCallerIdentity")
        .with_hint(format!(
            "use credentials of {stated} (AWS_PROFILE, or `profile` of the entry under `clouds`), \
             or correct `account` in the file"
        )));
    }
    // arn:PARTITION:sts::ACCOUNT:assumed-role/…
    let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
    Ok(Scope {
        label: format!("{account}/{region}"),
        facts: BTreeMap::from([
            (facts::ACCOUNT.to_owned(), account.to_owned()),
            (facts::REGION.to_owned(), region.to_owned()),
            (
                facts::PARTITION.to_owned(),
                partition.unwrap_or("aws").to_owned(),
            ),
        ]),
    })
}
