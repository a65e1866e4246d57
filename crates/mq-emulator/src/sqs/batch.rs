//! What the three batch operations have in common: the rules for entries, and an answer for each.

use std::collections::BTreeSet;

use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};

/// Entries of one batch.
const ENTRIES_MAX: usize = 10;
/// Characters of an entry's id.
const ID_CHARACTERS_MAX: usize = 80;

/// The entries, if the batch as a whole can be.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub(super) fn entries<'a>(params: &'a Params, kind: &str) -> Result<&'a [Params], SqsError> {
    let entries = params.entries("Entries");
    if entries.is_empty() {
        return Err(SqsError::new(
            Code::EmptyBatchRequest,
            format!("There should be at least one {kind} in the request."),
        ));
    }
    if entries.len() > ENTRIES_MAX {
        return Err(SqsError::new(
            Code::TooManyEntriesInBatchRequest,
            format!(
                "Maximum number of entries per request are {ENTRIES_MAX}. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    for id in entries.iter().map(|entry| entry.text("Id")) {
        check_id(id)?;
        if !seen.insert(id) {
            return Err(SqsError::new(
                Code::BatchEntryIdsNotDistinct,
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(entries)
}

fn check_id(id: &str) -> Result<(), SqsError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !id.is_empty() && id.len() <= ID_CHARACTERS_MAX && id.bytes().all(plain) {
        return Ok(());
    }
    Err(SqsError::new(
        Code::InvalidBatchEntryId,
        format!(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most {ID_CHARACTERS_MAX} letters long."
        ),
    ))
}

/// The result of a batch: what became of each entry, with the element's name for those that
/// went well.
pub(super) fn output<'a>(
    element: &'static str,
    outcomes: impl Iterator<Item = (&'a Params, Result<Vec<Member>, SqsError>)>,
) -> Output {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (entry, outcome) in outcomes {
        let id = Member::text("Id", entry.text("Id").to_owned());
        match outcome {
            Ok(members) => successful.push([vec![id], members].concat()),
            Err(error) => failed.push([vec![id], error_members(&error)].concat()),
        }
    }
    let lists = [
        ("Successful", element, successful),
        ("Failed", "BatchResultErrorEntry", failed),
    ];
    let members = lists
        .into_iter()
        .filter(|(.., entries)| !entries.is_empty())
        .map(|(json, xml, entries)| Member::entries(json, xml, entries));
    Output::Members(members.collect())
}

fn error_members(error: &SqsError) -> Vec<Member> {
    let words = error.code.words();
    vec![
        Member {
            json: "SenderFault",
            xml: "SenderFault",
            value: Given::Switch(!words.status.is_server_error()),
        },
        Member::text("Code", words.query_code.to_owned()),
        Member::text("Message", error.message.clone()),
    ]
}
