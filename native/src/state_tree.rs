//! The tree of accounts over one balance tree each (protocol 2), brought up to date for many accounts at once.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::Zero;

use crate::poseidon::{hash_array, hash_many};
use crate::tree::{MerkleTree, Path, TreeError, Update};

/// Inputs of an account's leaf: key, address, nonce, and the root of its balances.
const LEAF_INPUTS: usize = 5;

/// An account as it stands after a change, and the slots that changed.
#[derive(Clone, Debug)]
pub struct AccountChange {
    pub account_id: u64,
    /// ax, ay, address, nonce.
    pub fields: [Fr; LEAF_INPUTS - 1],
    pub slots: Vec<Update>,
}

/// `Clone` is a snapshot; it costs a pointer an account.
#[derive(Clone, Debug)]
pub struct StateTree {
    accounts: MerkleTree,
    /// Of accounts that ever held something.
    balances: HashMap<u64, MerkleTree>,
    no_balances: MerkleTree,
}

impl StateTree {
    pub fn new(account_levels: usize, balance_levels: usize) -> Result<Self, TreeError> {
        let no_balances = MerkleTree::new(balance_levels, Fr::zero())?;
        let mut leaf = [Fr::zero(); LEAF_INPUTS];
        leaf[LEAF_INPUTS - 1] = no_balances.root();
        let accounts = MerkleTree::new(account_levels, hash_array(&leaf))?;
        Ok(Self { accounts, balances: HashMap::new(), no_balances })
    }

    pub fn root(&self) -> Fr {
        self.accounts.root()
    }

    pub fn account_path(&self, account_id: u64) -> Result<Path, TreeError> {
        self.accounts.path(account_id)
    }

    /// A node of the account tree, `depth` levels below the root.
    pub fn account_node(&self, depth: usize, index: u64) -> Result<Fr, TreeError> {
        self.accounts.node(depth, index)
    }

    pub fn balance_path(&self, account_id: u64, slot: u64) -> Result<Path, TreeError> {
        self.balances.get(&account_id).unwrap_or(&self.no_balances).path(slot)
    }

    /// Sets accounts; slots not named keep what they hold. Of two changes of an account the later stays, slot by slot. On
    /// an error nothing is changed.
    pub fn update(&mut self, changes: Vec<AccountChange>) -> Result<(), TreeError> {
        let changes = merged(changes);
        // To refuse before anything changes.
        changes.iter().try_for_each(|change| {
            self.accounts.get(change.account_id)?;
            change.slots.iter().try_for_each(|(slot, _)| self.no_balances.get(*slot).map(|_| ()))
        })?;
        let mut trees: Vec<(MerkleTree, Vec<Update>)> = changes.iter().map(|change| self.take(change)).collect();
        MerkleTree::set_each(&mut trees)?;
        let inputs: Vec<Fr> = changes
            .iter()
            .zip(&trees)
            .flat_map(|(AccountChange { fields: [ax, ay, address, nonce], .. }, (tree, _))| {
                [*ax, *ay, *address, *nonce, tree.root()]
            })
            .collect();
        let leaves = hash_many(LEAF_INPUTS, &inputs).expect("five inputs");
        let empty = self.no_balances.root();
        for (change, (tree, updates)) in changes.iter().zip(trees) {
            if !updates.is_empty() || tree.root() != empty {
                self.balances.insert(change.account_id, tree);
            }
        }
        let leaves: Vec<Update> = changes.iter().map(|change| change.account_id).zip(leaves).collect();
        self.accounts.set_many(&leaves)
    }

    /// An account's balance tree, and the updates it takes; none where an empty one stays empty.
    fn take(&mut self, change: &AccountChange) -> (MerkleTree, Vec<Update>) {
        let found = self.balances.remove(&change.account_id);
        let is_needed = found.is_some() || change.slots.iter().any(|(_, leaf)| !leaf.is_zero());
        let mut updates = if is_needed { change.slots.clone() } else { Vec::new() };
        updates.sort_by_key(|(slot, _)| *slot);
        (found.unwrap_or_else(|| self.no_balances.clone()), updates)
    }
}

fn merged(changes: Vec<AccountChange>) -> Vec<AccountChange> {
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(changes.len());
    let mut merged: Vec<AccountChange> = Vec::with_capacity(changes.len());
    for change in changes {
        let at = *places.entry(change.account_id).or_insert(merged.len());
        match merged.get_mut(at) {
            Some(earlier) => {
                earlier.fields = change.fields;
                earlier.slots.extend(change.slots);
            }
            None => merged.push(change),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use rand::Rng;

    fn one_by_one(changes: &[AccountChange]) -> (MerkleTree, HashMap<u64, MerkleTree>) {
        let empty = StateTree::new(3, 2).expect("levels");
        let (mut accounts, mut balances) = (empty.accounts, HashMap::new());
        for AccountChange { account_id, fields: [ax, ay, address, nonce], slots } in changes {
            let tree = balances.entry(*account_id).or_insert_with(|| empty.no_balances.clone());
            slots.iter().for_each(|(slot, leaf)| tree.set(*slot, *leaf).expect("slot"));
            accounts.set(*account_id, hash_array(&[*ax, *ay, *address, *nonce, tree.root()])).expect("id");
        }
        (accounts, balances)
    }

    fn random_changes(rng: &mut impl Rng, count: usize) -> Vec<AccountChange> {
        (0..count)
            .map(|_| AccountChange {
                account_id: rng.gen_range(0..512),
                fields: std::array::from_fn(|_| Fr::rand(rng)),
                slots: (0..rng.gen_range(0..4))
                    .map(|_| (rng.gen_range(0..64), if rng.gen() { Fr::rand(rng) } else { Fr::zero() }))
                    .collect(),
            })
            .collect()
    }

    #[test]
    fn update_random_changes_equals_setting_one_by_one() {
        let mut rng = ark_std::test_rng();
        let (mut tree, mut all) = (StateTree::new(3, 2).expect("levels"), Vec::new());
        for count in [0, 1, 2, 9, 100, 700] {
            let changes = random_changes(&mut rng, count);
            all.extend(changes.clone());
            let snapshot = (tree.clone(), tree.root());
            tree.update(changes).expect("in range");
            let (accounts, balances) = one_by_one(&all);
            assert_eq!(tree.root(), accounts.root(), "{count}");
            for account_id in 0..512 {
                assert_eq!(tree.account_path(account_id), accounts.path(account_id));
                let expected = balances.get(&account_id).unwrap_or(&tree.no_balances);
                assert_eq!(tree.balance_path(account_id, 7), expected.path(7));
            }
            assert_eq!(snapshot.0.root(), snapshot.1);
        }
    }

    #[test]
    fn update_out_of_range_is_refused_and_changes_nothing() {
        let mut rng = ark_std::test_rng();
        let mut tree = StateTree::new(3, 2).expect("levels");
        tree.update(random_changes(&mut rng, 20)).expect("in range");
        let root = tree.root();
        for (account_id, slot) in [(512, 0), (0, 64)] {
            let mut changes = random_changes(&mut rng, 2);
            changes[1].account_id = account_id;
            changes[1].slots = vec![(slot, Fr::from(1))];
            let index = if account_id == 512 { (512, 512) } else { (64, 64) };
            assert_eq!(tree.update(changes), Err(TreeError::Index { got: index.0, bound: index.1 }));
            assert_eq!(tree.root(), root);
        }
    }
}
