//! What every document of the service shares: escaping, times, the Atom frame around a content.

use std::fmt::Write as _;

use mq_engine::Timestamp;
use quick_xml::escape::{escape, partial_escape};

use super::xml::is_xml_char;
use crate::clock::date;

pub(super) const ATOM: &str = "http://www.w3.org/2005/Atom";
pub(super) const SERVICE_BUS: &str =
    "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect";
pub(super) const COUNTS: &str = "http://schemas.microsoft.com/netservices/2011/06/servicebus";
pub(super) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer(String);

impl Writer {
    /// Text that is markup already.
    pub(super) fn markup(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// `<name>value</name>`, escaped.
    pub(super) fn element(&mut self, name: &str, value: impl ToString) {
        let value = value.to_string();
        let clean: String = value
            .chars()
            .filter(|&character| is_xml_char(character))
            .collect();
        // Writing to a string cannot fail.
        let _ = write!(
            self.0,
            "<{name}>{}</{name}>",
            partial_escape(clean.as_str())
        );
    }

    pub(super) fn link(&mut self, relation: &str, target: &str) {
        let _ = write!(
            self.0,
            "<link rel=\"{relation}\" href=\"{}\"/>",
            escape(target)
        );
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// What an entry says about the thing in it.
pub(super) struct Entry<'a> {
    /// The entry's own address; clients read the name from its path.
    pub(super) address: &'a str,
    /// The feed's address, for an entry of a feed.
    pub(super) base: Option<&'a str>,
    pub(super) title: &'a str,
    pub(super) author: &'a str,
    /// `None` for what was not created through this API.
    pub(super) published: Option<Timestamp>,
    pub(super) updated: Timestamp,
}

impl Entry<'_> {
    /// The entry around `content`.
    pub(super) fn write(&self, writer: &mut Writer, content: impl FnOnce(&mut Writer)) {
        match self.base {
            Some(base) => writer.markup(&format!("<entry xml:base=\"{}\">", escape(base))),
            None => writer.markup(&format!("<entry xmlns=\"{ATOM}\">")),
        }
        writer.element("id", self.address);
        writer.markup("<title type=\"text\">");
        writer.markup(&partial_escape(self.title));
        writer.markup("</title>");
        if let Some(published) = self.published {
            writer.element("published", seconds(published));
        }
        writer.element("updated", seconds(self.updated));
        writer.markup("<author>");
        writer.element("name", self.author);
        writer.markup("</author>");
        writer.link("self", self.address);
        writer.markup("<content type=\"application/xml\">");
        content(writer);
        writer.markup("</content></entry>");
    }
}

/// A time in a description: `2018-10-17T20:45:50.48Z`, without trailing zeros.
pub(super) fn precise(time: Timestamp) -> String {
    date(time).to_string()
}

/// A time in an entry's frame: `2018-10-17T20:45:50Z`.
pub(super) fn seconds(time: Timestamp) -> String {
    date(time).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time in an error, which has no zone.
pub(super) fn timestamp_in_error(time: Timestamp) -> String {
    date(time).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_look_as_the_service_writes_them() {
        let time = Timestamp(1_539_809_150_480);
        assert_eq!(precise(time), "2018-10-17T20:45:50.48Z");
        assert_eq!(seconds(time), "2018-10-17T20:45:50Z");
        assert_eq!(timestamp_in_error(time), "2018-10-17T20:45:50");
        assert_eq!(
            precise(Timestamp(1_539_809_150_000)),
            "2018-10-17T20:45:50Z"
        );
        assert_eq!(
            precise(Timestamp(u64::MAX)),
            jiff::Timestamp::MAX.to_string()
        );
    }

    #[test]
    fn an_element_keeps_every_character_that_xml_can_hold() {
        let mut writer = Writer::default();
        writer.element("T", "a<b>&\"c\"\r\n\u{1}é");
        assert_eq!(writer.into_string(), "<T>a&lt;b&gt;&amp;\"c\"&#13;\né</T>");
    }
}
