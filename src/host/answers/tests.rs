//! The answers are virsh's, of libvirt 12.8.0.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn vm(answers: &[(Question, &str)]) -> Vm {
    let mut vm = Vm::default();
    for (question, text) in answers {
        read(question, &Answer { text: (*text).to_owned(), error: None }, &mut vm);
    }
    vm
}

#[test]
fn answers_stand_behind_their_marks() {
    let text = "@@m0@qemu:///system\n@@m1@error: failed to get domain 'x'\n@@m2@cp1\ncp2\n@@mend@";
    let answers = split("@@m", 3, text).unwrap();
    assert_eq!(answers[0], Answer { text: "qemu:///system".to_owned(), error: None });
    assert_eq!(answers[1], Answer { text: String::new(), error: Some("failed to get domain 'x'".to_owned()) });
    assert_eq!(answers[2].text, "cp1\ncp2");
    // What virsh did not come to is not answered.
    assert_eq!(split("@@m", 3, "@@m0@qemu:///system\n").unwrap()[2], Answer::default());
    assert_eq!(split("@@m", 3, "error: failed to connect to the hypervisor\n"), None);
}

#[test]
fn a_command_that_virsh_does_not_know_is_named() {
    assert_eq!(unknown_command("error: unknown command: 'backup-dumpxml'\n"), Some("backup-dumpxml"));
    let option = "error: command 'domstats' doesn't support option --nowait\n";
    assert_eq!(unknown_command(option), Some("domstats"));
    let other = "error: failed to connect to the hypervisor\nerror: Cannot recv data: Connection reset by peer\n";
    assert_eq!(unknown_command(other), None);
    assert_eq!(errors(other), "failed to connect to the hypervisor: Cannot recv data: Connection reset by peer");
}

#[test]
fn words_are_quoted_for_virsh() {
    let questions = [Question::Checkpoint("a b".to_owned()), Question::State];
    assert_eq!(
        script("@@m", "it's; quit", &questions),
        "echo @@m0@; checkpoint-dumpxml --domain 'it'\\''s; quit' --checkpointname 'a b' --no-domain --size; echo @@m1@; \
         domstate --domain 'it'\\''s; quit' --reason; echo @@mend@"
    );
}

#[test]
fn states_are_told_apart() {
    let state = |text| vm(&[(Question::State, text)]).state;
    for text in ["running (booted)", "paused (user)", "pmsuspended", "in shutdown (user)"] {
        assert_eq!(state(text), Some(State::Active), "{text}");
    }
    assert_eq!(state("shut off (destroyed)"), Some(State::Inactive("shut off".to_owned())));
    assert_eq!(state("crashed (panicked)"), Some(State::Inactive("crashed".to_owned())));
    assert_eq!(state(""), None);
}

const BACKUP: &str = "Job type:         Unbounded\nOperation:        Backup\nTime elapsed:     188          ms\n\
                      Temporary disk space use: 0.000 B\nTemporary disk space total: 100.000 MiB";

#[test]
fn a_running_backup_is_a_push_or_a_pull() {
    let job = |answers: &[(Question, &str)]| vm(answers).job;
    let backup = |mode| format!("<domainbackup mode='{mode}'>\n  <disks/>\n</domainbackup>");
    assert_eq!(job(&[(Question::Job, "Job type:         None")]), None);
    assert_eq!(job(&[(Question::Job, "")]), None);
    assert_eq!(job(&[(Question::Job, BACKUP), (Question::RunningBackup, &backup("pull"))]), Some(Job::PullBackup));
    assert_eq!(job(&[(Question::Job, BACKUP), (Question::RunningBackup, &backup("push"))]), Some(Job::PushBackup));
    // An older virsh prints no backup.
    assert_eq!(job(&[(Question::Job, BACKUP), (Question::RunningBackup, "")]), Some(Job::PushBackup));
    let migration = "Job type:         Unbounded\nOperation:        Outgoing migration";
    assert_eq!(job(&[(Question::Job, migration)]), Some(Job::Other("Outgoing migration".to_owned())));
    assert_eq!(job(&[(Question::Job, "Job type:         Completed\nOperation:        Backup")]), None);
}

#[test]
fn the_images_of_a_chain_are_added_up() {
    let text = "Domain: 'shop'\n  block.count=3\n  block.0.name=vda\n  block.0.path=/vm/over.qcow2\n  block.0.backingIndex=2\n  \
                block.0.allocation=0\n  block.0.capacity=67108864\n  block.0.physical=200704\n  block.1.name=vda\n  \
                block.1.path=/vm/base.qcow2\n  block.1.backingIndex=3\n  block.1.allocation=0\n  block.1.capacity=67108864\n  \
                block.1.physical=67436544\n  block.2.name=vdb\n  block.2.path=/vm/vdb.img\n  block.2.capacity=10485760\n  \
                block.2.physical=4096";
    let disks = vm(&[(Question::Sizes, text)]).disks;
    assert_eq!(disks["vda"], DiskSizes { capacity: 64 << 20, allocation: 200_704 + 67_436_544 });
    assert_eq!(disks["vdb"], DiskSizes { capacity: 10 << 20, allocation: 4096 });
    assert_eq!(disks.len(), 2);
}

#[test]
fn a_bitmap_without_size_is_lost() {
    let text = "<domaincheckpoint>\n  <name>cp1</name>\n  <creationTime>1795596374</creationTime>\n  <disks>\n    \
                <disk name='vda' checkpoint='bitmap' bitmap='cp1' size='65536'/>\n    \
                <disk name='vdb' checkpoint='bitmap' bitmap='cp1'/>\n    <disk name='vdc' checkpoint='no'/>\n  </disks>\n\
                </domaincheckpoint>";
    let checkpoint = Question::Checkpoint("cp1".to_owned());
    let vm = vm(&[(Question::Checkpoints, "cp1\ncp2"), (checkpoint, text)]);
    assert_eq!(vm.bitmap("cp1", "vda"), Some(Bitmap::Found(65536)));
    assert_eq!(vm.bitmap("cp1", "vdb"), Some(Bitmap::Lost));
    assert_eq!((vm.bitmap("cp1", "vdc"), vm.bitmap("cp2", "vda")), (None, None));
    assert_eq!(vm.checkpoints_of("vda").collect::<Vec<_>>(), ["cp1"]);
    assert_eq!(vm.checkpoints_of("vdb").count(), 0);
}

#[test]
fn no_checkpoints_are_not_an_error() {
    assert_eq!(vm(&[(Question::Checkpoints, "")]).checkpoints, Some(Vec::new()));
    let mut vm = Vm::default();
    let error = Some("this function is not supported by the connection driver".to_owned());
    read(&Question::Checkpoints, &Answer { text: String::new(), error: error.clone() }, &mut vm);
    read(&Question::Secrets, &Answer { text: String::new(), error }, &mut vm);
    assert_eq!((vm.checkpoints, vm.secrets), (None, None));
}

#[test]
fn secrets_have_a_type_and_an_id() {
    let text =
        "11111111-2222-4333-8444-555555555555   volume /vm/a b.luks\n 21111111-2222-4333-8444-555555555555   Unused";
    let secrets = vm(&[(Question::Secrets, text)]).secrets.unwrap();
    assert_eq!((secrets[0].usage_type.as_str(), secrets[0].usage.as_str()), ("volume", "/vm/a b.luks"));
    assert_eq!((secrets[1].usage_type.as_str(), secrets[1].usage.as_str()), ("Unused", ""));
    assert_eq!(secrets.len(), 2);
}

#[test]
fn a_domain_says_whom_qemu_runs_as_and_what_its_volumes_are() {
    let text = "<domain type='qemu' id='1'>\n  <devices>\n    <disk type='volume' device='disk'>\n      \
                <source pool='default' volume='a.qcow2' index='2'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n  \
                </devices>\n  <seclabel type='dynamic' model='apparmor' relabel='yes'>\n    <label>libvirt-1</label>\n  \
                </seclabel>\n  <seclabel type='dynamic' model='dac' relabel='yes'>\n    <label>+64055:+64055</label>\n    \
                <imagelabel>+64055:+64055</imagelabel>\n  </seclabel>\n</domain>";
    let path = Question::VolumePath(("default".to_owned(), "a.qcow2".to_owned()));
    let vm = vm(&[(Question::Domain, text), (path, "/pool/a.qcow2")]);
    assert_eq!(vm.user.as_deref(), Some("+64055:+64055"));
    assert_eq!(vm.volume_paths[&vm.volumes["vda"]], "/pool/a.qcow2");
}

#[test]
fn the_daemon_has_a_release() {
    let text = "Compiled against library: libvirt 12.8.0\nUsing library: libvirt 12.8.0\nUsing API: QEMU 12.8.0\n\
                Running hypervisor: QEMU 11.1.3\nRunning against daemon: 11.3.0";
    assert_eq!(vm(&[(Question::Version, text)]).release.as_deref(), Some("11.3.0"));
}

#[test]
fn a_block_job_is_a_line() {
    let job = Question::BlockJob("vda".to_owned());
    assert!(vm(&[(job.clone(), "")]).block_jobs.is_empty());
    assert_eq!(vm(&[(job, "Block Pull: [ 12.50 %]")]).block_jobs["vda"], "Block Pull: [ 12.50 %]");
}
