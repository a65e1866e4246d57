//! Lists of queues, in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mq_engine::{EntityKind, Service};

use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};

/// The longest page, and the page of a request that does not say one.
const RESULTS_MAX: usize = 1000;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html>
pub(super) fn queues(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let prefix = params.optional_text("QueueNamePrefix").unwrap_or_default();
    let page = Page::of(params)?;
    let engine = call.shared.engine();
    let names = engine
        .list(Service::Sqs, EntityKind::Queue, &call.scope(), &page.after)
        .map(|entity| entity.id.name.as_str())
        .filter(|name| name.starts_with(prefix));
    let (urls, token) = page.take(call, names);
    let mut members = Vec::new();
    if !urls.is_empty() {
        members.push(Member {
            json: "QueueUrls",
            xml: "QueueUrl",
            value: Given::List(urls),
        });
    }
    members.extend(token);
    Ok(Output::Members(members))
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html>
pub(super) fn dead_letter_sources(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let page = Page::of(params)?;
    let engine = call.shared.engine();
    let target = &call.find(&engine, params.text("QueueUrl"))?.id;
    let names = engine
        .list(Service::Sqs, EntityKind::Queue, &call.scope(), &page.after)
        .filter(|entity| entity.settings.dead_letter.as_ref() == Some(target))
        .map(|entity| entity.id.name.as_str());
    let (urls, token) = page.take(call, names);
    // This member is required by the model, and the only one with a small first letter.
    let mut members = vec![Member {
        json: "queueUrls",
        xml: "QueueUrl",
        value: Given::List(urls),
    }];
    members.extend(token);
    Ok(Output::Members(members))
}

/// Which part of a list is asked for.
struct Page {
    after: String,
    results_max: usize,
    /// Without `MaxResults` there is no token for what did not fit.
    has_token: bool,
}

impl Page {
    fn of(params: &Params) -> Result<Self, SqsError> {
        let asked = params.integer("MaxResults");
        let results_max = match asked.map(usize::try_from) {
            None => RESULTS_MAX,
            Some(Ok(number)) if (1..=RESULTS_MAX).contains(&number) => number,
            Some(_) => {
                return Err(SqsError::new(
                    Code::InvalidParameterValue,
                    "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.",
                ));
            }
        };
        let after = match params.optional_text("NextToken") {
            None | Some("") => String::new(),
            Some(token) => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| {
                    SqsError::new(
                        Code::InvalidParameterValue,
                        "Invalid or expired next token.",
                    )
                })?,
        };
        Ok(Page {
            after,
            results_max,
            has_token: asked.is_some(),
        })
    }

    fn take<'n>(
        &self,
        call: &Call<'_>,
        mut names: impl Iterator<Item = &'n str>,
    ) -> (Vec<String>, Option<Member>) {
        let taken: Vec<&str> = names.by_ref().take(self.results_max).collect();
        let is_more = names.next().is_some();
        let token = taken
            .last()
            .filter(|_| is_more && self.has_token)
            .map(|last| Member::text("NextToken", URL_SAFE_NO_PAD.encode(last)));
        (
            taken.into_iter().map(|name| call.url(name)).collect(),
            token,
        )
    }
}
