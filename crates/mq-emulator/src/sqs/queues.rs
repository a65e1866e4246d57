//! Creating, reading, changing and deleting queues.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_engine::{Command, Engine, Entity, EntityId, Operation, Refusal, Settings};

use super::attributes::{self, Attributes, Document};
use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};
use super::{redrive, tags};

/// A name may have this many characters, `.fifo` included.
const NAME_CHARACTERS_MAX: usize = 80;
/// A queue may be purged once in this time.
const PURGE_PAUSE: Duration = Duration::from_secs(60);

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
pub(super) fn create(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let name = params.text("QueueName");
    let mut asked = params.map("Attributes");
    let fifo = check_name(name, &mut asked)?;
    let tags = params.map("tags");
    tags::check(name, &tags)?;

    let mut engine = call.shared.engine();
    let id = call.id(name);
    if let Some(entity) = engine.get(&id) {
        check_same(&Document::of(entity)?, &asked, &tags, fifo)?;
        return Ok(Output::Members(vec![Member::text(
            "QueueUrl",
            call.url(name),
        )]));
    }
    check_not_deleted_recently(call, &engine, &id)?;
    let attributes = attributes::changed(&attributes::defaults(fifo), &asked, fifo)?;
    let settings = settings(call, &engine, name, &attributes)?;
    let document = Document {
        attributes,
        tags,
        modified: call.now,
        purged: None,
        before: None,
    }
    .to_value()?;
    engine
        .apply(
            call.now,
            Command::Create {
                id,
                settings,
                document,
            },
        )
        .map_err(refused)?;
    Ok(Output::Members(vec![Member::text(
        "QueueUrl",
        call.url(name),
    )]))
}

/// Whether the name is that of a FIFO queue; that name and the attribute must agree.
fn check_name(name: &str, asked: &mut Attributes) -> Result<bool, SqsError> {
    let fifo = match asked.get("FifoQueue").map(String::as_str) {
        Some("true") => true,
        // What the service says to `false`: a standard queue has no such attribute.
        Some("false") if !name.ends_with(".fifo") => return Err(attributes::unknown("FifoQueue")),
        Some(_) | None => false,
    };
    let stem = if fifo {
        name.strip_suffix(".fifo").unwrap_or_default()
    } else {
        name
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !stem.is_empty() && name.len() <= NAME_CHARACTERS_MAX && stem.bytes().all(is_plain) {
        return Ok(fifo);
    }
    let rule = if fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
    };
    Err(SqsError::new(Code::InvalidParameterValue, rule))
}

/// A queue that is there is the answer, if it is as asked: only what was asked is compared.
fn check_same(
    document: &Document,
    asked: &Attributes,
    tags: &BTreeMap<String, String>,
    fifo: bool,
) -> Result<(), SqsError> {
    for (name, value) in asked {
        let wanted = attributes::canonical(name, value, fifo)?;
        if !attributes::same(name, wanted.as_ref(), document.attributes.get(name)) {
            return Err(SqsError::new(
                Code::QueueNameExists,
                format!(
                    "A queue already exists with the same name and a different value for attribute {name}"
                ),
            ));
        }
    }
    if tags
        .iter()
        .any(|(key, value)| document.tags.get(key) != Some(value))
    {
        return Err(SqsError::new(
            Code::QueueNameExists,
            "A queue already exists with the same name and a different value for tags",
        ));
    }
    Ok(())
}

fn check_not_deleted_recently(
    call: &Call<'_>,
    engine: &Engine,
    id: &EntityId,
) -> Result<(), SqsError> {
    let Some(pause) = call.shared.quirks.sqs_deleted_recently else {
        return Ok(());
    };
    match engine.deleted_at(id) {
        Some(deleted) if call.now.since(deleted) < pause => Err(SqsError::new(
            Code::QueueDeletedRecently,
            format!(
                "You must wait {} seconds after deleting a queue before you can create another with the same name.",
                pause.as_secs()
            ),
        )),
        _ => Ok(()),
    }
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
pub(super) fn delete(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let id = call.id_of_url(params.text("QueueUrl"))?;
    call.shared
        .engine()
        .apply(call.now, Command::Delete { id })
        .map_err(refused)?;
    Ok(Output::Nothing)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html>
pub(super) fn url(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let name = params.text("QueueName");
    let owner = params
        .optional_text("QueueOwnerAWSAccountId")
        .unwrap_or(call.account);
    if owner != call.account || call.shared.engine().get(&call.id(name)).is_none() {
        return Err(SqsError::no_queue());
    }
    Ok(Output::Members(vec![Member::text(
        "QueueUrl",
        call.url(name),
    )]))
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>
pub(super) fn attributes(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let wanted = params.list("AttributeNames");
    if let Some(name) = wanted.iter().find(|name| !attributes::is_known(name)) {
        return Err(attributes::unknown(name));
    }
    let engine = call.shared.engine();
    let entity = call.find(&engine, params.text("QueueUrl"))?;
    let document = Document::of(entity)?;
    let mut entries = document
        .shown(call.now, call.shared.quirks.sqs_attribute_lag)
        .clone();
    if !entries.contains_key("KmsMasterKeyId") {
        entries.remove("KmsDataKeyReusePeriodSeconds");
    }
    entries.extend(read_only(call, &engine, entity, &document));
    let all = wanted.iter().any(|name| name == "All");
    entries.retain(|name, _| all || wanted.contains(name));
    if entries.is_empty() {
        return Ok(Output::Members(Vec::new()));
    }
    Ok(Output::Members(vec![Member {
        json: "Attributes",
        xml: "Attribute",
        value: Given::Map {
            entries,
            key: "Name",
            value: "Value",
        },
    }]))
}

fn read_only(
    call: &Call<'_>,
    engine: &Engine,
    entity: &Entity,
    document: &Document,
) -> impl Iterator<Item = (String, String)> {
    let counts = engine.counts(&entity.id).unwrap_or_default();
    let seconds = |time: mq_engine::Timestamp| (time.0 / 1000).to_string();
    // In the order of `READ_ONLY`.
    let values = [
        counts.visible.to_string(),
        counts.delayed.to_string(),
        counts.leased.to_string(),
        seconds(entity.created),
        seconds(document.modified),
        call.arn(&entity.id.name),
    ];
    attributes::READ_ONLY
        .map(str::to_owned)
        .into_iter()
        .zip(values)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
pub(super) fn set_attributes(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let changes = params.map("Attributes");
    update(call, params.text("QueueUrl"), |document, fifo| {
        let next = attributes::changed(&document.attributes, &changes, fifo)?;
        replace_attributes(call, document, next);
        Ok(())
    })
}

/// Gives the document new attributes, and remembers what a reader who is behind still sees.
pub(super) fn replace_attributes(call: &Call<'_>, document: &mut Document, next: Attributes) {
    let lag = call.shared.quirks.sqs_attribute_lag;
    document.before = lag.is_some().then(|| document.shown(call.now, lag).clone());
    document.attributes = next;
    document.modified = call.now;
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html>
pub(super) fn purge(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let id = call.id_of_url(params.text("QueueUrl"))?;
    let name = &id.name;
    update(call, params.text("QueueUrl"), |document, _| {
        if document
            .purged
            .is_some_and(|last| call.now.since(last) < PURGE_PAUSE)
        {
            return Err(SqsError::new(
                Code::PurgeQueueInProgress,
                format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds."),
            ));
        }
        document.purged = Some(call.now);
        Ok(())
    })?;
    call.shared.perform(Operation::Purge { at: id.into() })?;
    Ok(Output::Nothing)
}

/// Changes what is kept of a queue; on an error nothing is changed.
pub(super) fn update(
    call: &Call<'_>,
    url: &str,
    change: impl FnOnce(&mut Document, bool) -> Result<(), SqsError>,
) -> Result<Output, SqsError> {
    let mut engine = call.shared.engine();
    let entity = call.find(&engine, url)?;
    let (id, mut document) = (entity.id.clone(), Document::of(entity)?);
    let policy = document.attributes.get("RedrivePolicy").cloned();
    change(&mut document, id.name.ends_with(".fifo"))?;
    let settings = if document.attributes.get("RedrivePolicy") == policy.as_ref() {
        // The target of an unchanged policy may be gone by now; that is no concern of this call.
        Settings {
            dead_letter: entity.settings.dead_letter.clone(),
            max_deliveries: entity.settings.max_deliveries,
            ..attributes::settings(&document.attributes)
        }
    } else {
        settings(call, &engine, &id.name, &document.attributes)?
    };
    let document = document.to_value()?;
    let command = Command::Update {
        id,
        settings,
        document,
        if_revision: None,
    };
    engine.apply(call.now, command).map_err(refused)?;
    Ok(Output::Nothing)
}

fn settings(
    call: &Call<'_>,
    engine: &Engine,
    name: &str,
    attributes: &Attributes,
) -> Result<Settings, SqsError> {
    let mut settings = attributes::settings(attributes);
    if let Some(text) = attributes.get("RedrivePolicy") {
        let policy = redrive::Policy::parse(text)?;
        settings.dead_letter = Some(policy.target(call, engine, name)?);
        settings.max_deliveries = Some(policy.max_receive_count);
    }
    Ok(settings)
}

fn refused(refusal: Refusal) -> SqsError {
    match refusal {
        Refusal::NotFound => SqsError::no_queue(),
        // Excluded under the lock of the engine; worded all the same.
        Refusal::Exists(_) | Refusal::Changed(_) | Refusal::Dangling(_) => SqsError::new(
            Code::InternalFailure,
            format!("The queue changed meanwhile: {refusal}."),
        ),
    }
}
