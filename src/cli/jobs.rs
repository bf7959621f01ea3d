//! Many files on several processors, with results in the order of the files.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Files that a worker takes at a time: enough to make the cost of handing results over negligible.
const MAX_BATCH: usize = 32;
/// Batches that wait, for each worker, to be taken: this bounds memory, however many files there are.
const MAX_WAITING: usize = 2;
/// Batches that each worker should get, so that all of them end at about the same time.
const MIN_BATCHES: usize = 8;

/// Has `work` done on each item by up to `jobs` threads, and `deliver` what came of it, one after another in the order of
/// the items, on the thread that called.
///
/// # Errors
///
/// Fails as soon as `deliver` does; work that is under way then comes to nothing.
pub(super) fn in_order<I: Sync, T: Send, E>(
    items: &[I],
    jobs: usize,
    work: impl Fn(&I) -> T + Sync,
    mut deliver: impl FnMut(&I, T) -> Result<(), E>,
) -> Result<(), E> {
    let jobs = jobs.min(items.len());
    if jobs < 2 {
        return items.iter().try_for_each(|item| deliver(item, work(item)));
    }
    let size = (items.len() / (jobs * MIN_BATCHES)).clamp(1, MAX_BATCH);
    thread::scope(|scope| {
        let work = &work;
        let spawn = |first| {
            let (sender, receiver) = sync_channel(MAX_WAITING);
            let worker = move || {
                for batch in items.chunks(size).skip(first).step_by(jobs) {
                    if sender.send(batch.iter().map(work).collect::<Vec<_>>()).is_err() {
                        // The receiver is gone.
                        break;
                    }
                }
            };
            // Where the system has no more threads, the calling one does the work.
            thread::Builder::new().spawn_scoped(scope, worker).ok().map(|_| receiver)
        };
        let receivers: Vec<_> = (0..jobs).map(spawn).collect();
        // Batches are dealt out in turn, and so they come back.
        for (batch, receiver) in items.chunks(size).zip(receivers.iter().cycle()) {
            let Some(receiver) = receiver else {
                batch.iter().try_for_each(|item| deliver(item, work(item)))?;
                continue;
            };
            let Ok(results) = receiver.recv() else { break };
            batch.iter().zip(results).try_for_each(|(item, result)| deliver(item, result))?;
        }
        Ok(())
    })
}

/// As many as were asked for, else as there are processors.
pub(super) fn count(asked: Option<NonZero<usize>>) -> usize {
    asked.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_whatever_finishes_first() {
        let items: Vec<usize> = (0..1_000).collect();
        for jobs in [1, 2, 3, 7, 2_000] {
            let slow_first = |item: &usize| {
                if item.is_multiple_of(300) {
                    thread::sleep(Duration::from_millis(2));
                }
                item * 2
            };
            let mut delivered = Vec::new();
            let deliver = |item: &usize, result| {
                assert_eq!(result, item * 2);
                delivered.push(*item);
                Ok::<(), ()>(())
            };
            in_order(&items, jobs, slow_first, deliver).unwrap();
            assert_eq!(delivered, items, "{jobs} jobs");
        }
    }

    #[test]
    fn work_goes_only_a_bounded_way_ahead() {
        let (jobs, started, delivered) = (4, AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |_: &u8| {
            let ahead = started.fetch_add(1, Ordering::SeqCst) + 1 - delivered.load(Ordering::SeqCst);
            // Waiting, in work, waiting to be sent, and being taken.
            assert!(ahead <= (MAX_WAITING + 3) * jobs * MAX_BATCH, "{ahead}");
        };
        let deliver = |_: &u8, ()| {
            delivered.fetch_add(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        };
        in_order(&vec![0; 100_000], jobs, work, deliver).unwrap();
        assert_eq!(delivered.into_inner(), 100_000);
    }

    #[test]
    fn an_error_while_delivering_stops_the_work() {
        let done = AtomicUsize::new(0);
        let work = |_: &u8| done.fetch_add(1, Ordering::SeqCst);
        assert_eq!(in_order(&vec![0; 100_000], 3, work, |_, _| Err("full")), Err("full"));
        assert!(done.into_inner() < 1_000);
    }
}
