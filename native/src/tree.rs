//! A sparse 8-ary Merkle tree over Poseidon(8), the shape of the account and balance trees (protocol 2).
//!
//! The leaf of index i is reached from the root by the base-8 digits of i, most significant first; a node is the hash of
//! its eight children in order. Only touched nodes are stored, and they are shared between clones until one of them
//! changes, so a clone is a snapshot at the price of one pointer.

use std::fmt;
use std::sync::Arc;

use ark_bn254::Fr;

use crate::poseidon::{hash_array, hash_many};

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
    Bottom { hash: Fr, leaves: Box<[Fr; ARITY]> },
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

    /// The hash of the `index`th of the nodes that lie `depth` levels below the root; at the tree's own depth, a leaf.
    pub fn node(&self, depth: usize, index: u64) -> Result<Fr, TreeError> {
        if depth > self.levels() {
            return Err(TreeError::Levels { got: depth });
        }
        check_index(depth, index)?;
        let mut node = self.root.as_deref();
        for below in (0..depth).rev() {
            match node {
                None => break,
                Some(Node::Bottom { leaves, .. }) => return Ok(leaves[digit(index, below)]),
                Some(Node::Inner { children, .. }) => node = children[digit(index, below)].as_deref(),
            }
        }
        Ok(node.map_or(self.empty[self.levels() - depth], Node::hash))
    }

    pub fn set(&mut self, index: u64, value: Fr) -> Result<(), TreeError> {
        self.set_many(&[(index, value)])
    }

    /// As [`set`](Self::set) one after the other, but each touched node is hashed once, and all of a level together.
    /// Of two values for an index the later stays. On an error nothing is changed.
    pub fn set_many(&mut self, updates: &[Update]) -> Result<(), TreeError> {
        self.check_updates(updates)?;
        let mut sorted = updates.to_vec();
        sorted.sort_by_key(|(index, _)| *index);
        update_all(&mut [(&mut self.root, &sorted)], &self.empty);
        Ok(())
    }

    /// [`set_many`](Self::set_many) of several trees, which have the levels and the empty leaf of the first; their
    /// levels are hashed together. Updates are sorted by index.
    pub(crate) fn set_each(trees: &mut [(Self, Vec<Update>)]) -> Result<(), TreeError> {
        let Some((first, _)) = trees.first() else {
            return Ok(());
        };
        let empty = first.empty.clone();
        trees.iter().try_for_each(|(tree, updates)| tree.check_updates(updates))?;
        let mut roots: Vec<Job> = trees.iter_mut().map(|(tree, updates)| (&mut tree.root, &updates[..])).collect();
        update_all(&mut roots, &empty);
        Ok(())
    }

    fn check_updates(&self, updates: &[Update]) -> Result<(), TreeError> {
        updates.iter().try_for_each(|(index, _)| check_index(self.levels(), *index))
    }

    /// The eight children of every node above the leaf, bottom first.
    pub fn path(&self, index: u64) -> Result<Path, TreeError> {
        check_index(self.levels(), index)?;
        let mut node = self.root.as_ref();
        let mut path: Path = (0..self.levels()).map(|level| [self.empty[level]; ARITY]).collect();
        for level in (0..self.levels()).rev() {
            match node.map(Arc::as_ref) {
                None => break,
                Some(Node::Bottom { leaves, .. }) => path[level] = **leaves,
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

/// The root of a tree, and its updates, sorted by index.
type Job<'a> = (&'a mut Option<Arc<Node>>, &'a [Update]);

/// A node on the way to an update, taken out of its parent.
struct Taken<'a> {
    node: Arc<Node>,
    parent: usize,
    digit: usize,
    updates: &'a [Update],
}

/// Applies updates to trees of `empty.len() - 1` levels: takes the nodes on the way out, level by level, sets the leaves, and
/// puts the nodes back from the bottom, each level with its hashes.
fn update_all(jobs: &mut [Job], empty: &[Fr]) {
    let levels = empty.len() - 1;
    let roots = jobs.iter_mut().enumerate().filter(|(_, (_, updates))| !updates.is_empty());
    let mut layers: Vec<Vec<Taken>> = vec![roots
        .map(|(parent, (root, updates))| {
            let node = root.take().unwrap_or_else(|| Arc::new(empty_node(levels, empty)));
            Taken { node, parent, digit: 0, updates }
        })
        .collect()];
    for level in (1..levels).rev() {
        let above = layers.last_mut().expect("the roots");
        let below = take_children(above, level, empty);
        layers.push(below);
    }
    let mut below: Vec<Taken> = Vec::new();
    for (level, mut layer) in layers.into_iter().rev().enumerate() {
        below.into_iter().for_each(|taken| put_back(&mut layer, taken));
        layer.iter_mut().for_each(set_leaves);
        set_hashes(&mut layer, empty[level]);
        below = layer;
    }
    below.into_iter().for_each(|taken| *jobs[taken.parent].0 = Some(taken.node));
}

/// The children, of `level` levels, that have updates.
fn take_children<'a>(above: &mut [Taken<'a>], level: usize, empty: &[Fr]) -> Vec<Taken<'a>> {
    let mut below = Vec::new();
    for (parent, taken) in above.iter_mut().enumerate() {
        if let Node::Inner { children, .. } = Arc::make_mut(&mut taken.node) {
            for updates in taken.updates.chunk_by(|(a, _), (b, _)| digit(*a, level) == digit(*b, level)) {
                let digit = digit(updates[0].0, level);
                let node = children[digit].take().unwrap_or_else(|| Arc::new(empty_node(level, empty)));
                below.push(Taken { node, parent, digit, updates });
            }
        }
    }
    below
}

fn put_back(above: &mut [Taken], taken: Taken) {
    if let Node::Inner { children, .. } = Arc::make_mut(&mut above[taken.parent].node) {
        children[taken.digit] = Some(taken.node);
    }
}

fn set_leaves(taken: &mut Taken) {
    if let Node::Bottom { leaves, .. } = Arc::make_mut(&mut taken.node) {
        taken.updates.iter().for_each(|(index, value)| leaves[digit(*index, 0)] = *value);
    }
}

/// `empty` is the hash of a child that is absent.
fn set_hashes(layer: &mut [Taken], empty: Fr) {
    let inputs: Vec<Fr> = layer
        .iter()
        .flat_map(|taken| match taken.node.as_ref() {
            Node::Bottom { leaves, .. } => **leaves,
            Node::Inner { children, .. } => child_hashes(children, empty),
        })
        .collect();
    let hashes = hash_many(ARITY, &inputs).expect("eight children");
    for (taken, new) in layer.iter_mut().zip(hashes) {
        match Arc::make_mut(&mut taken.node) {
            Node::Bottom { hash, .. } | Node::Inner { hash, .. } => *hash = new,
        }
    }
}

/// Its hash is set by the update that made it.
fn empty_node(levels: usize, empty: &[Fr]) -> Node {
    let hash = empty[levels];
    match levels {
        1 => Node::Bottom { hash, leaves: Box::new([empty[0]; ARITY]) },
        _ => Node::Inner { hash, children: Default::default() },
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
