"""Play HighLevel's and HubSpot's APIs, as a program of its own on 127.0.0.1.

`python -m config.demo.crm_api highlevel` prints its port. `GET /state` answers its records and calls; `POST /faults`
takes faults, each for the next call whose path begins with `path` (`exact`: is that). `POST /reset` forgets everything.
"""
