//! A sparse 8-ary Merkle tree over Poseidon(8), the shape of the account and balance trees (design section 2).
//!
//! The leaf of index i is reached from the root by the base-8 digits of i, most significant first; a node is the hash of
//! its eight children in order. Only touched nodes are stored, and they are shared between clones until one of them
//! changes, so a clone is a snapshot at the price of one pointer.

use std::fmt;
use std::sync::Arc;

use ark_bn254::Fr;
use rayon::prelude::*;

use crate::poseidon::hash_array;

pub const ARITY: usize = 8;
const DIGIT_BITS: u32 = 3;

/// The most levels whose indices fit in 64 bits.
pub const MAX_LEVELS: usize = 21;

/// An index and its new leaf.
pub type Update = (u64, Fr);

/// The children of the nodes between a leaf and the root, bottom first; the leaf itself is in the first group.
pub type Path = Vec<[Fr; ARITY]>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeError {
    Levels { got: usize },
    Index { got: u64, bound: u64 },
    PathLength { expected: usize, got: usize },
    PathWidth { level: usize, got: usize },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Levels { got } => write!(f, "levels must be 1 to {MAX_LEVELS}, got {got}"),
            Self::Index { got, bound } => {
                write!(f, "index must be 0 <= index < {bound}, got {got}")
            }
            Self::PathLength { expected, got } => {
                write!(f, "path must have {expected} levels, got {got}")
            }
            Self::PathWidth { level, got } => {
                write!(f, "path must have {ARITY} children at each level, got {got} at level {level}")
            }
        }
    }
}

impl std::error::Error for TreeError {}

/// A node with its hash. A child that was never touched is absent, and all below it is empty.
#[derive(Clone, Debug)]
enum Node {
    Bottom { hash: Fr, leaves: [Fr; ARITY] },
    Inner { hash: Fr, children: [Option<Arc<Node>>; ARITY] },
}

impl Node {
    fn hash(&self) -> Fr {
        match self {
            Self::Bottom { hash, .. } | Self::Inner { hash, .. } => *hash,
        }
    }
}

/// See the module. `Clone` is a snapshot.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    /// `empty[k]` is the hash of an empty subtree of k levels; `empty[0]` is the empty leaf.
    empty: Arc<[Fr]>,
    root: Option<Arc<Node>>,
}

impl MerkleTree {
    /// A tree of 8^levels leaves, all `empty_leaf`.
    pub fn new(levels: usize, empty_leaf: Fr) -> Result<Self, TreeError> {
        if !(1..=MAX_LEVELS).contains(&levels) {
            return Err(TreeError::Levels { got: levels });
        }
        let empty = std::iter::successors(Some(empty_leaf), |below| Some(hash_array(&[*below; ARITY])));
        Ok(Self { empty: empty.take(levels + 1).collect(), root: None })
    }

    pub fn levels(&self) -> usize {
        self.empty.len() - 1
    }

    pub fn root(&self) -> Fr {
        self.root.as_ref().map_or(self.empty[self.levels()], |node| node.hash())
    }

    pub fn get(&self, index: u64) -> Result<Fr, TreeError> {
        check_index(self.levels(), index)?;
        let mut node = self.root.as_deref();
        let mut level = self.levels();
        while let Some(Node::Inner { children, .. }) = node {
            level -= 1;
            node = children[digit(index, level)].as_deref();
        }
        Ok(match node {
            Some(Node::Bottom { leaves, .. }) => leaves[digit(index, 0)],
            _ => self.empty[0],
        })
    }

    pub fn set(&mut self, index: u64, value: Fr) -> Result<(), TreeError> {
        self.set_many(&[(index, value)])
    }

    /// As [`set`](Self::set) one after the other, but each touched node is hashed once and subtrees run in parallel.
    /// Of two values for an index the later stays. On an error nothing is changed.
    pub fn set_many(&mut self, updates: &[Update]) -> Result<(), TreeError> {
        updates.iter().try_for_each(|(index, _)| check_index(self.levels(), *index))?;
        let mut sorted = updates.to_vec();
        sorted.sort_by_key(|(index, _)| *index);
        let levels = self.levels();
        if !sorted.is_empty() {
            update(&mut self.root, levels, &sorted, &self.empty);
        }
        Ok(())
    }

    /// The eight children of every node above the leaf, bottom first.
    pub fn path(&self, index: u64) -> Result<Path, TreeError> {
        check_index(self.levels(), index)?;
        let mut node = self.root.as_ref();
        let mut path: Path = (0..self.levels()).map(|level| [self.empty[level]; ARITY]).collect();
        for level in (0..self.levels()).rev() {
            match node.map(Arc::as_ref) {
                None => break,
                Some(Node::Bottom { leaves, .. }) => path[level] = *leaves,
                Some(Node::Inner { children, .. }) => {
                    path[level] = child_hashes(children, self.empty[level]);
                    node = children[digit(index, level)].as_ref();
                }
            }
        }
        Ok(path)
    }
}

/// Whether `path` leads from `leaf` at `index` to `root`. A path of another shape than the tree's is an error, so that
/// no inner node passes for a leaf. The number of levels is the verifier's knowledge, never the prover's.
pub fn verify_path(root: Fr, levels: usize, index: u64, leaf: Fr, path: &[Vec<Fr>]) -> Result<bool, TreeError> {
    if !(1..=MAX_LEVELS).contains(&levels) {
        return Err(TreeError::Levels { got: levels });
    }
    check_index(levels, index)?;
    if path.len() != levels {
        return Err(TreeError::PathLength { expected: levels, got: path.len() });
    }
    let mut hash = leaf;
    let mut holds = true;
    for (level, children) in path.iter().enumerate() {
        let children: &[Fr; ARITY] =
            children.as_slice().try_into().map_err(|_| TreeError::PathWidth { level, got: children.len() })?;
        holds &= children[digit(index, level)] == hash;
        hash = hash_array(children);
    }
    Ok(holds && hash == root)
}

fn check_index(levels: usize, index: u64) -> Result<(), TreeError> {
    let bound = 1 << (DIGIT_BITS * levels as u32);
    if index < bound {
        Ok(())
    } else {
        Err(TreeError::Index { got: index, bound })
    }
}

/// The base-8 digit of `index` that chooses a child `level` levels above the leaves.
fn digit(index: u64, level: usize) -> usize {
    (index >> (DIGIT_BITS * level as u32)) as usize % ARITY
}

fn child_hashes(children: &[Option<Arc<Node>>; ARITY], empty: Fr) -> [Fr; ARITY] {
    std::array::from_fn(|i| children[i].as_ref().map_or(empty, |child| child.hash()))
}

/// Applies updates, sorted by index and all within this subtree of `levels` levels.
fn update(slot: &mut Option<Arc<Node>>, levels: usize, updates: &[Update], empty: &[Fr]) {
    let node = slot.get_or_insert_with(|| Arc::new(empty_node(levels, empty)));
    match Arc::make_mut(node) {
        Node::Bottom { hash, leaves } => {
            updates.iter().for_each(|(index, value)| leaves[digit(*index, 0)] = *value);
            *hash = hash_array(leaves);
        }
        Node::Inner { hash, children } => {
            update_children(children, levels - 1, updates, empty);
            *hash = hash_array(&child_hashes(children, empty[levels - 1]));
        }
    }
}

fn update_children(children: &mut [Option<Arc<Node>>; ARITY], level: usize, updates: &[Update], empty: &[Fr]) {
    const PARALLEL_FROM: usize = 4;
    let mut rest = updates;
    let mut work: Vec<(&mut Option<Arc<Node>>, &[Update])> = Vec::with_capacity(ARITY);
    for (i, child) in children.iter_mut().enumerate() {
        let (own, others) = rest.split_at(rest.partition_point(|(index, _)| digit(*index, level) <= i));
        rest = others;
        if !own.is_empty() {
            work.push((child, own));
        }
    }
    if updates.len() >= PARALLEL_FROM && work.len() > 1 {
        work.into_par_iter().for_each(|(child, own)| update(child, level, own, empty));
    } else {
        work.into_iter().for_each(|(child, own)| update(child, level, own, empty));
    }
}

/// Its hash is set by the update that made it.
fn empty_node(levels: usize, empty: &[Fr]) -> Node {
    let hash = empty[levels];
    match levels {
        1 => Node::Bottom { hash, leaves: [empty[0]; ARITY] },
        _ => Node::Inner { hash, children: Default::default() },
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
