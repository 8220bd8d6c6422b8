"""What is wrong in a folder or a job, and what to do about it: made from analyses alone, without the sounds."""
