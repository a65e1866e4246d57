//! What the emulator counts, in Prometheus' text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write as _;

use mq_engine::{EntityKind, Holdings, Part, Place};

use crate::shared::{SERVICES, Shared};

/// All of it, as of now. Of queues and subscriptions only those that a message ever came to: an
/// emulator may have ten thousand that nobody uses.
pub(crate) fn text(shared: &Shared) -> String {
    let mut text = String::new();
    let mut requests = Family::begin(
        &mut text,
        "mq_emulator_requests_total",
        "counter",
        "Requests that clients have made.",
    );
    for (service, name) in SERVICES {
        requests.sample(&[("service", name)], shared.requests_of(service));
    }
    let now = shared.now();
    let mut engine = shared.engine();
    engine.advance(now);
    let mut memory = Family::begin(
        &mut text,
        "mq_emulator_memory_bytes",
        "gauge",
        "Bytes that all messages take; a body that several hold is counted once.",
    );
    memory.sample(&[], engine.memory_held());
    let places: Vec<(Place, Holdings)> = engine
        .entities()
        .filter(|entity| entity.id.kind != EntityKind::Topic)
        .flat_map(|entity| {
            let of = |part| Place {
                id: entity.id.clone(),
                part,
            };
            [of(Part::Main), of(Part::Dead)]
        })
        .filter_map(|place| engine.holdings(&place).map(|holdings| (place, holdings)))
        .filter(|(_, holdings)| holdings.arrived > 0)
        .collect();
    drop(engine);
    messages(&mut text, &places);
    text
}

/// What is counted of one place, under the name that it has in a label.
type Counter = (&'static str, fn(&Holdings) -> u64);

const STATES: [Counter; 5] = [
    ("visible", |it| it.visible),
    ("leased", |it| it.leased),
    ("delayed", |it| it.delayed),
    ("scheduled", |it| it.scheduled),
    ("deferred", |it| it.deferred),
];

const EVENTS: [Counter; 5] = [
    ("arrived", |it| it.arrived),
    ("acked", |it| it.acked),
    ("expired", |it| it.expired),
    ("purged", |it| it.purged),
    ("left", |it| it.left),
];

fn messages(text: &mut String, places: &[(Place, Holdings)]) {
    let mut held = Family::begin(
        text,
        "mq_emulator_messages",
        "gauge",
        "Messages that a queue or subscription holds.",
    );
    held.of_places(places, "state", &STATES);
    let mut events = Family::begin(
        text,
        "mq_emulator_messages_total",
        "counter",
        "Messages that came to a queue or subscription, and how they went.",
    );
    events.of_places(places, "event", &EVENTS);
    let mut bytes = Family::begin(
        text,
        "mq_emulator_message_bytes",
        "gauge",
        "Bytes of the messages that a queue or subscription holds.",
    );
    for (place, holdings) in places {
        bytes.sample(&labels(place), holdings.bytes);
    }
}

fn labels(place: &Place) -> [(&'static str, &str); 4] {
    let service = SERVICES
        .iter()
        .find(|(service, _)| *service == place.id.service)
        .map_or("", |(_, name)| name);
    let part = match place.part {
        Part::Main => "main",
        Part::Dead => "dead-letter",
    };
    [
        ("service", service),
        ("scope", &place.id.scope),
        ("name", &place.id.name),
        ("part", part),
    ]
}

/// The samples of one name.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl<'a> Family<'a> {
    fn begin(text: &'a mut String, name: &'static str, kind: &str, help: &str) -> Self {
        let _infallible = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text, name }
    }

    fn of_places(
        &mut self,
        places: &[(Place, Holdings)],
        label: &'static str,
        counters: &[Counter],
    ) {
        for (place, holdings) in places {
            for (name, count) in counters {
                let [service, scope, queue, part] = labels(place);
                let labels = [service, scope, queue, part, (label, *name)];
                self.sample(&labels, count(holdings));
            }
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        self.text.push_str(self.name);
        for (index, (name, value)) in labels.iter().enumerate() {
            let start = if index == 0 { '{' } else { ',' };
            let _infallible = write!(self.text, "{start}{name}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _infallible = writeln!(self.text, " {value}");
    }
}

/// A label's value: three characters have a form of their own in it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use mq_engine::{
        Command, EntityId, NewMessage, Operation, Receive, Service, Settings, Timestamp,
    };

    use super::*;
    use crate::quirks::Quirks;

    fn queue(name: &str) -> EntityId {
        EntityId {
            service: Service::Sqs,
            kind: EntityKind::Queue,
            scope: "000000000000/us-east-1".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn what_a_queue_holds_and_what_went_through_it_is_told() {
        let shared = Shared::new(Quirks::default(), 1);
        for name in ["or\"ders", "unused"] {
            let create = Command::Create {
                id: queue(name),
                settings: Settings::default(),
                document: serde_json::Value::Null,
            };
            shared.engine().apply(Timestamp(1), create).unwrap();
        }
        let message = NewMessage {
            body: "hello".into(),
            ..NewMessage::default()
        };
        let send = Operation::Send {
            to: queue("or\"ders"),
            messages: vec![message; 3],
            whole: true,
        };
        shared.perform(send).unwrap();
        let receive = Operation::Receive {
            from: queue("or\"ders").into(),
            how: Receive {
                max: 1,
                remove: true,
                ..Receive::default()
            },
        };
        shared.perform(receive).unwrap();
        let text = text(&shared);
        let place = r#"service="sqs",scope="000000000000/us-east-1",name="or\"ders",part="main""#;
        for line in [
            format!("mq_emulator_messages{{{place},state=\"visible\"}} 2"),
            format!("mq_emulator_messages_total{{{place},event=\"arrived\"}} 3"),
            format!("mq_emulator_messages_total{{{place},event=\"acked\"}} 1"),
            "# TYPE mq_emulator_memory_bytes gauge".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("unused"), "{text}");
    }
}
