//! Several contestants, one after the other, round by round, so that what changes on the machine meanwhile hits all of them.

/// The order of the contestants in a round: each begins a round in turn.
pub(crate) fn order(count: usize, round: usize) -> Vec<usize> {
    (0..count).map(|place| (place + round) % count).collect()
}

/// Whether a round only warms up: files, catalogs, the processor's clock.
pub(crate) fn is_warm_up(round: usize) -> bool {
    round == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_begins_in_turn() {
        assert_eq!(order(3, 0), [0, 1, 2]);
        assert_eq!(order(3, 1), [1, 2, 0]);
        assert_eq!(order(3, 5), [2, 0, 1]);
        assert_eq!(order(0, 5), Vec::<usize>::new());
        assert!(is_warm_up(0) && !is_warm_up(1));
    }
}
