"""What can be done with a trained model: its folder, its labels, its topics, and the topics of documents."""
