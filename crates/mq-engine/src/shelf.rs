//! Messages in the order of their numbers, packed.
//!
//! A map with an entry for each message would be half empty, since numbers only grow and its
//! nodes split in the middle. So messages stand on boards of up to sixteen numbers, and the map
//! has one entry for each board. What is taken from a board makes room at once, so a single old
//! message does not hold much more than itself.

use std::collections::BTreeMap;

use crate::message::Message;

/// How many numbers belong to one board.
const BOARD: u64 = 16;

/// The messages of one place.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    boards: BTreeMap<u64, Vec<(u64, Message)>>,
}

impl Shelf {
    /// The message with this number.
    pub(crate) fn get(&self, sequence: u64) -> Option<&Message> {
        count_step!();
        let board = self.boards.get(&(sequence / BOARD))?;
        let index = find(board, sequence).ok()?;
        Some(&board[index].1)
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, sequence: u64) -> Option<&mut Message> {
        count_step!();
        let board = self.boards.get_mut(&(sequence / BOARD))?;
        let index = find(board, sequence).ok()?;
        Some(&mut board[index].1)
    }

    /// Puts a message in. Numbers are given once, so there is none with this number.
    pub(crate) fn insert(&mut self, sequence: u64, message: Message) {
        let board = self.boards.entry(sequence / BOARD).or_default();
        match find(board, sequence) {
            Ok(index) => board[index].1 = message,
            Err(index) => board.insert(index, (sequence, message)),
        }
    }

    /// Takes a message out.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<Message> {
        let number = sequence / BOARD;
        let board = self.boards.get_mut(&number)?;
        let index = find(board, sequence).ok()?;
        let (_, message) = board.remove(index);
        if board.is_empty() {
            self.boards.remove(&number);
        } else if board.len() <= board.capacity() / 4 {
            board.shrink_to_fit();
        }
        Some(message)
    }

    /// All messages from this number on, in order.
    pub(crate) fn from(&self, sequence: u64) -> impl Iterator<Item = (u64, &Message)> {
        self.boards
            .range(sequence / BOARD..)
            .flat_map(|(_, board)| board)
            .map(|(number, message)| {
                count_step!();
                (*number, message)
            })
            .skip_while(move |(number, _)| *number < sequence)
    }

    /// All messages, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.from(0)
    }

    /// The same, to change them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Message)> {
        let boards = self.boards.values_mut().flatten();
        boards.map(|(number, message)| {
            count_step!();
            (*number, message)
        })
    }
}

fn find(board: &[(u64, Message)], sequence: u64) -> Result<usize, usize> {
    board.binary_search_by_key(&sequence, |(number, _)| *number)
}
