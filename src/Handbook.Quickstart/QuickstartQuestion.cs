namespace Handbook.Quickstart;

/// <summary>A question that has one right answer.</summary>
/// <param name="Task">The kind of question (<see cref="QuickstartTasks"/>).</param>
/// <param name="Text">What the user asks.</param>
/// <param name="Answer">The right answer, without the full stop.</param>
/// <param name="Subject">What it is about: a question about a held-out subject occurs in no other wording in training.</param>
public sealed record QuickstartQuestion(string Task, string Text, string Answer, string Subject);

/// <summary>Questions to train on and questions to examine with; no subject occurs in both.</summary>
/// <param name="Train">For fine-tuning.</param>
/// <param name="Test">Held out.</param>
public sealed record QuickstartQuestions(IReadOnlyList<QuickstartQuestion> Train, IReadOnlyList<QuickstartQuestion> Test);
