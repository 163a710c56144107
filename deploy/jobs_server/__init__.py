"""Jobs server: stands for Cloud Run's and Batch's job services on this machine, and really runs the jobs.

It speaks their gRPC, so Google's own clients are what talks to it. A job's image is the trainer's environment
on this machine, its end is published to Pub/Sub in the form of Google's services, and a preemption is played
by killing the process. State is on disk: jobs outlive the server, which finds them again.
"""
