#!/bin/sh
# Answers as virsh did: virsh.sh FOLDER -r -q [-c URI] 'echo MARK; COMMAND; …'
#
# The answer to a command is the file of its name in FOLDER, for a checkpoint or a disk with that name behind a dot.
# FOLDER/unknown names commands that this virsh does not know. Each call is a line of FOLDER/calls.
folder=$1
shift
for script; do :; done
echo "$@" | tr '\n' ' ' >>"$folder/calls"
echo >>"$folder/calls"
if [ -e "$folder/unknown" ]; then
    for command in $(cat "$folder/unknown"); do
        case $script in *"; $command"*) echo "error: unknown command: '$command'" >&2; exit 1 ;; esac
    done
fi
if [ -e "$folder/failure" ]; then
    cat "$folder/failure" >&2
    exit 1
fi
set -f
IFS=';'
set -- $script
unset IFS
for step; do
    # virsh reads quotes as a shell does.
    eval "set -- $step"
    case $1 in
    echo) printf %s "$2" ;;
    checkpoint-dumpxml | blockjob) cat "$folder/$1.$5" 2>/dev/null ;;
    *) if [ "$2" = --domain ] && [ "$3" != shop ]; then
        echo "error: failed to get domain '$3'" >&2
    else
        cat "$folder/$1" 2>/dev/null
    fi ;;
    esac
done
