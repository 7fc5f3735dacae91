use super::*;
use ark_ff::{UniformRand, Zero};

const LEVELS: usize = 3;

fn dense_root(leaves: &[Fr]) -> Fr {
    let mut layer = leaves.to_vec();
    while layer.len() > 1 {
        layer = layer.chunks(ARITY).map(|group| crate::poseidon::hash(group).expect("arity")).collect();
    }
    layer[0]
}

fn random_updates(count: usize) -> Vec<(u64, Fr)> {
    let mut rng = ark_std::test_rng();
    (0..count).map(|_| (u64::rand(&mut rng) % 512, Fr::rand(&mut rng))).collect()
}

fn vectors(path: &Path) -> Vec<Vec<Fr>> {
    path.iter().map(|children| children.to_vec()).collect()
}

#[test]
fn root_after_random_updates_equals_the_dense_tree() {
    let empty = Fr::from(11);
    let (mut leaves, mut tree) = (vec![empty; 512], MerkleTree::new(LEVELS, empty).unwrap());
    assert_eq!(tree.root(), dense_root(&leaves));
    for (index, value) in random_updates(60) {
        leaves[index as usize] = value;
        tree.set(index, value).unwrap();
        assert_eq!(tree.get(index), Ok(value));
    }
    assert_eq!(tree.root(), dense_root(&leaves));
}

#[test]
fn node_of_every_depth_is_the_hash_of_its_children() {
    let mut tree = MerkleTree::new(LEVELS, Fr::from(11)).unwrap();
    for update in [&[][..], &random_updates(9), &random_updates(60)] {
        tree.set_many(update).unwrap();
        assert_eq!(tree.node(0, 0), Ok(tree.root()));
        for depth in 0..LEVELS {
            let nodes: Vec<Fr> = (0..8u64.pow(depth as u32 + 1)).map(|at| tree.node(depth + 1, at).unwrap()).collect();
            for (at, children) in nodes.chunks(ARITY).enumerate() {
                assert_eq!(tree.node(depth, at as u64), Ok(crate::poseidon::hash(children).unwrap()));
            }
        }
        (0..512).for_each(|index| assert_eq!(tree.node(LEVELS, index), tree.get(index)));
    }
    assert_eq!(tree.node(2, 64), Err(TreeError::Index { got: 64, bound: 64 }));
    assert_eq!(tree.node(4, 0), Err(TreeError::Levels { got: 4 }));
}

#[test]
fn set_many_with_repeated_indices_equals_setting_in_order() {
    let mut one_by_one = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    let mut batch = one_by_one.clone();
    let updates = random_updates(700);
    updates.iter().for_each(|(index, value)| one_by_one.set(*index, *value).unwrap());
    batch.set_many(&updates).unwrap();
    assert_eq!(batch.root(), one_by_one.root());
    assert_eq!(batch.path(77), one_by_one.path(77));
}

#[test]
fn clone_then_set_leaves_the_snapshot_alone() {
    let mut tree = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    tree.set(5, Fr::from(1)).unwrap();
    let (snapshot, root) = (tree.clone(), tree.root());
    tree.set_many(&random_updates(50)).unwrap();
    assert_ne!(tree.root(), root);
    assert_eq!((snapshot.root(), snapshot.get(5)), (root, Ok(Fr::from(1))));
}

#[test]
fn set_back_to_empty_restores_the_empty_root() {
    let mut tree = MerkleTree::new(8, Fr::zero()).unwrap();
    let root = tree.root();
    tree.set(8u64.pow(8) - 1, Fr::from(1)).unwrap();
    assert_ne!(tree.root(), root);
    tree.set(8u64.pow(8) - 1, Fr::zero()).unwrap();
    assert_eq!(tree.root(), root);
}

#[test]
fn set_index_out_of_range_is_refused_and_changes_nothing() {
    let mut tree = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    let root = tree.root();
    let error = Err(TreeError::Index { got: 512, bound: 512 });
    assert_eq!(tree.set_many(&[(1, Fr::from(1)), (512, Fr::from(2))]), error);
    assert_eq!(tree.root(), root);
    assert_eq!(tree.get(512), Err(TreeError::Index { got: 512, bound: 512 }));
    assert_eq!(TreeError::Index { got: 512, bound: 512 }.to_string(), "index must be 0 <= index < 512, got 512");
}

#[test]
fn new_zero_or_too_many_levels_is_refused() {
    for got in [0, MAX_LEVELS + 1, usize::MAX] {
        assert_eq!(MerkleTree::new(got, Fr::zero()).err(), Some(TreeError::Levels { got }));
    }
    let mut deepest = MerkleTree::new(MAX_LEVELS, Fr::zero()).unwrap();
    assert_eq!(deepest.set((1 << 63) - 1, Fr::from(1)), Ok(()));
    assert!(deepest.set(1 << 63, Fr::from(1)).is_err());
}

#[test]
fn verify_path_every_touched_and_empty_leaf_holds() {
    let mut tree = MerkleTree::new(LEVELS, Fr::from(4)).unwrap();
    tree.set_many(&random_updates(30)).unwrap();
    for index in 0..512 {
        let (leaf, path) = (tree.get(index).unwrap(), vectors(&tree.path(index).unwrap()));
        assert_eq!(verify_path(tree.root(), LEVELS, index, leaf, &path), Ok(true));
        assert_eq!(verify_path(tree.root(), LEVELS, index, leaf + Fr::from(1), &path), Ok(false));
    }
}

#[test]
fn verify_path_of_another_shape_is_refused() {
    let tree = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    let path = vectors(&tree.path(0).unwrap());
    let check = |path: &[Vec<Fr>]| verify_path(tree.root(), LEVELS, 0, Fr::zero(), path);
    let long = [path.clone(), path[..1].to_vec()].concat();
    assert_eq!(check(&path[1..]), Err(TreeError::PathLength { expected: LEVELS, got: 2 }));
    assert_eq!(check(&long), Err(TreeError::PathLength { expected: LEVELS, got: 4 }));
    assert_eq!(check(&[]), Err(TreeError::PathLength { expected: LEVELS, got: 0 }));
    for width in [0, 7, 9] {
        let mut bent = path.clone();
        bent[1].resize(width, Fr::zero());
        assert_eq!(check(&bent), Err(TreeError::PathWidth { level: 1, got: width }));
    }
}

#[test]
fn verify_path_index_plus_capacity_is_refused() {
    let tree = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    let path = vectors(&tree.path(5).unwrap());
    let error = Err(TreeError::Index { got: 517, bound: 512 });
    assert_eq!(verify_path(tree.root(), LEVELS, 517, Fr::zero(), &path), error);
}

#[test]
fn verify_path_each_child_changed_does_not_hold() {
    let mut tree = MerkleTree::new(LEVELS, Fr::zero()).unwrap();
    tree.set_many(&random_updates(30)).unwrap();
    let (leaf, path) = (tree.get(83).unwrap(), vectors(&tree.path(83).unwrap()));
    for level in 0..LEVELS {
        for child in 0..ARITY {
            let mut changed = path.clone();
            changed[level][child] += Fr::from(1);
            assert_eq!(verify_path(tree.root(), LEVELS, 83, leaf, &changed), Ok(false));
        }
    }
}

/// `cargo test --release measure_tree -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn measure_tree() {
    let mut tree = MerkleTree::new(8, Fr::zero()).unwrap();
    let mut rng = ark_std::test_rng();
    let updates: Vec<(u64, Fr)> = (0..10_000).map(|_| (u64::rand(&mut rng) >> 40, Fr::rand(&mut rng))).collect();
    let start = std::time::Instant::now();
    updates[..1000].iter().for_each(|(index, value)| tree.set(*index, *value).unwrap());
    println!("set, 8 levels: {:?}", start.elapsed() / 1000);
    let start = std::time::Instant::now();
    tree.set_many(&updates).unwrap();
    println!("set_many of 10,000: {:?} each", start.elapsed() / 10_000);
}
