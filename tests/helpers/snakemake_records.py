"""Records as Snakemake hands them to a logger plugin."""

import logging

from snakemake_interface_logger_plugins.common import LogEvent


def record(message="None", level=logging.INFO, **told):
    """A record; its queue makes the text 'None' of no message."""
    made = logging.LogRecord("snakemake.logging", level, __file__, 1, message, None, None)
    vars(made).update(told)
    return made


def planned(**counts):
    """How many jobs of which rule there are."""
    stats = counts | {"total": sum(counts.values())}
    return record("Job stats:\n...", event=LogEvent.RUN_INFO, stats=stats)


def begun(number, rule="train", words=None, log=(), reason="Missing output files: x", **wildcards):
    """A job begins, or would in a dry run."""
    told = {"jobid": number, "rule_name": rule, "rule_msg": words, "log": [*log]}
    told |= {"wildcards": wildcards, "reason": reason}
    return record(f" Rule: {rule}", event=LogEvent.JOB_INFO, **told)


def finished(number):
    """A job has succeeded."""
    return record(f"Finished jobid: {number}", event=LogEvent.JOB_FINISHED, job_id=number)


def failed(number, rule="train", log=(), **told):
    """A job has failed."""
    told = {"rule_msg": None, "jobid": number, "rule_name": rule, "log": [*log]} | told
    return record("Error in rule", logging.ERROR, event=LogEvent.JOB_ERROR, **told)


def group_failed(jobs, aux_logs):
    """A group of jobs, with their logs by (number, rule), has failed on a cluster."""
    told = [{"jobid": n, "rule_name": rule, "log": log} for (n, rule), log in jobs.items()]
    told = {"job_error_info": told, "aux_logs": aux_logs, "groupid": "g"}
    return record("Error in group", logging.ERROR, event=LogEvent.GROUP_ERROR, **told)
