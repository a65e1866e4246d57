//! Exit codes: a contract with scripts, told once and decided in one place.

use mq_core::ErrorKind;

/// How a run of `mq` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: what was asked is done, or was so already.
    Done,
    /// 1: it failed for a reason that none of the other codes names.
    Failed,
    /// 2: something differs from the file; only with `--detailed-exitcode`.
    ChangesPending,
    /// 3: `verify` ran, and not everything was as it should be; or nothing was executed.
    NotProved,
    /// 4: no credentials, wrong ones, or ones without the right.
    Denied,
    /// 5: `mq` will not do it: not ours, another account, protected, holding messages, immutable.
    Refused,
    /// 6: some of it is done; the same command goes on from there.
    Partial,
    /// 7: the time that was set ran out.
    TimedOut,
    /// 8: applied, but the cloud did not do what was asked.
    Mismatch,
    /// 64: the command line, the file or the configuration is wrong; nothing was sent anywhere.
    Usage,
    /// 75: throttled or out of order; trying again later helps.
    Transient,
    /// 125: `emulator exec` could not make ready what its child needs.
    ExecFailed,
    /// 126: `emulator exec` found the command and could not run it.
    ExecCannotRun,
    /// 127: `emulator exec` did not find the command.
    ExecNotFound,
    /// The code that the child of `emulator exec` ended with.
    Child(u8),
    /// 130: interrupted from the keyboard.
    Interrupted,
    /// 143: told to end.
    Terminated,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::ChangesPending => 2,
            Exit::NotProved => 3,
            Exit::Denied => 4,
            Exit::Refused => 5,
            Exit::Partial => 6,
            Exit::TimedOut => 7,
            Exit::Mismatch => 8,
            Exit::Usage => 64,
            Exit::Transient => 75,
            Exit::ExecFailed => 125,
            Exit::ExecCannotRun => 126,
            Exit::ExecNotFound => 127,
            Exit::Child(code) => code,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// The worse of two clouds' ends: what a script must look at first.
    #[must_use]
    pub fn worse(self, other: Exit) -> Exit {
        if other.rank() < self.rank() {
            other
        } else {
            self
        }
    }

    /// The place in the order of bad ends, the worst first.
    fn rank(self) -> u8 {
        match self {
            Exit::Interrupted | Exit::Terminated => 0,
            Exit::Usage => 1,
            Exit::Partial => 2,
            Exit::Mismatch => 3,
            Exit::Refused => 4,
            Exit::Denied => 5,
            // The codes of `exec` never meet those of clouds.
            Exit::Failed
            | Exit::ExecFailed
            | Exit::ExecCannotRun
            | Exit::ExecNotFound
            | Exit::Child(1..) => 6,
            Exit::TimedOut => 7,
            Exit::Transient => 8,
            Exit::NotProved => 9,
            Exit::ChangesPending => 10,
            Exit::Done | Exit::Child(0) => 11,
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => Exit::Denied,
            ErrorKind::RateLimited | ErrorKind::Unavailable => Exit::Transient,
            ErrorKind::Unsupported | ErrorKind::SpecInvalid | ErrorKind::ConfigInvalid => {
                Exit::Usage
            }
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::TimedOut => Exit::TimedOut,
            ErrorKind::Cancelled => Exit::Interrupted,
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::QuotaExceeded
            | ErrorKind::PayloadTooLarge
            | ErrorKind::ReceiptInvalid
            | ErrorKind::LeaseExpired
            | ErrorKind::Unexpected => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented order of bad ends, worst first.
    const ORDER: [Exit; 12] = [
        Exit::Interrupted,
        Exit::Usage,
        Exit::Partial,
        Exit::Mismatch,
        Exit::Refused,
        Exit::Denied,
        Exit::Failed,
        Exit::TimedOut,
        Exit::Transient,
        Exit::NotProved,
        Exit::ChangesPending,
        Exit::Done,
    ];

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes: Vec<u8> = ORDER.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [130, 64, 6, 8, 5, 4, 1, 7, 75, 3, 2, 0]);
        let exec = [
            Exit::ExecFailed,
            Exit::ExecCannotRun,
            Exit::ExecNotFound,
            Exit::Child(3),
            Exit::Terminated,
        ];
        let codes: Vec<u8> = exec.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [125, 126, 127, 3, 143]);
    }

    #[test]
    fn the_worst_of_two_counts_whichever_comes_first() {
        for (index, worse) in ORDER.iter().enumerate() {
            for better in &ORDER[index..] {
                assert_eq!(worse.worse(*better), *worse);
                assert_eq!(better.worse(*worse), *worse);
            }
        }
    }

    #[test]
    fn every_kind_of_error_has_its_code() {
        for (kind, code) in [
            (ErrorKind::NotFound, 1),
            (ErrorKind::AlreadyExists, 1),
            (ErrorKind::Conflict, 1),
            (ErrorKind::Unauthenticated, 4),
            (ErrorKind::PermissionDenied, 4),
            (ErrorKind::RateLimited, 75),
            (ErrorKind::QuotaExceeded, 1),
            (ErrorKind::PayloadTooLarge, 1),
            (ErrorKind::ReceiptInvalid, 1),
            (ErrorKind::LeaseExpired, 1),
            (ErrorKind::Unsupported, 64),
            (ErrorKind::SpecInvalid, 64),
            (ErrorKind::ConfigInvalid, 64),
            (ErrorKind::Refused, 5),
            (ErrorKind::Unavailable, 75),
            (ErrorKind::TimedOut, 7),
            (ErrorKind::Cancelled, 130),
            (ErrorKind::Unexpected, 1),
        ] {
            assert_eq!(Exit::from(kind).code(), code, "{kind:?}");
        }
    }
}
